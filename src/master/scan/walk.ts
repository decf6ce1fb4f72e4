import type { Dirent, Stats } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { errnoOf } from '../../util/errno.ts'
import { companionOf, isFolderName, isLeftAlone, isVideoName, mayBeInvalid } from './names.ts'
import { type Place, type ScanRules, idOf, isFoundByItself } from './place.ts'
import { cannotRead } from './tally.ts'

/** A folder on the way, by the path that led there. */
export interface Folder {
  path: string
  /** Levels below the root, which is 0. */
  depth: number
  /** Whether a symbolic link led to it. */
  is_link: boolean
}

/** What a folder holds of interest; each list sorted by code units, so that scans repeat on every machine. */
export interface Listing {
  folder: Folder
  /** Files and links to files that can be sources by their names. */
  videos: string[]
  folders: Folder[]
  links: Folder[]
  is_empty: boolean
}

/** What a walk needs to know, and whom it tells. */
export interface WalkContext {
  rules: ScanRules
  place: Place
  signal: AbortSignal
  /** Asked once for each folder, before it is read; `id` is equal for two paths of one folder. */
  enter: (folder: Folder, id: string) => boolean
  /** Told of what cannot be read, a sentence. */
  problem: (sentence: string) => void
}

/** Links that are followed at one time. */
const linksAtOnce = 64
/** Entries looked at before other work of this thread gets its turn: a folder may hold hundreds of thousands. */
const entriesPerTurn = 5000

/**
 * Reads a folder and those below it, one folder's entries in memory at a time: files before folders, depth first, and
 * links to folders only once all the rest was walked, so that a folder is known by its real path where it has one.
 * What cannot be read is told and skipped; what vanishes meanwhile is skipped.
 */
export async function* walk(start: Folder, context: WalkContext): AsyncGenerator<Listing> {
  let stack = [start]
  let links: Folder[] = []
  while (stack.length > 0) {
    for (let folder = stack.pop(); folder && !context.signal.aborted; folder = stack.pop()) {
      const listing = await enterFolder(folder, context)
      if (!listing) continue
      yield listing
      // No spread into push: a folder may hold more folders than a call may have arguments.
      for (const below of listing.folders.toReversed()) stack.push(below)
      for (const link of listing.links) links.push(link)
    }
    if (context.signal.aborted) return
    stack = links.toSorted((a, b) => (a.path < b.path ? 1 : -1))
    links = []
  }
}

async function enterFolder(folder: Folder, context: WalkContext): Promise<Listing | undefined> {
  try {
    if (!context.enter(folder, await idOf(folder.path))) return undefined
    const entries = await readdir(folder.path, { withFileTypes: true })
    return await listFolder(folder, entries, context)
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') context.problem(cannotRead(folder.path, error))
    else if (mayBeInvalid(folder.path)) context.problem(`the folder name is not valid UTF-8; rename it: ${folder.path}`)
    return undefined
  }
}

async function listFolder(folder: Folder, entries: Dirent[], context: WalkContext): Promise<Listing> {
  const { rules } = context
  const names = { file: [] as string[], folder: [] as string[], link: [] as string[] }
  const downloading = new Set<string | undefined>()
  for (const [index, entry] of entries.entries()) {
    if (index % entriesPerTurn === entriesPerTurn - 1) await setImmediate()
    downloading.add(companionOf(entry.name))
    const kind = kindOf(entry) ?? kindOf(await lstat(join(folder.path, entry.name)))
    if (kind === 'file' && isVideoName(entry.name, rules.video_extensions)) names.file.push(entry.name)
    else if (kind === 'folder' && isFolderName(entry.name)) names.folder.push(entry.name)
    else if (kind === 'link' && !isLeftAlone(entry.name)) names.link.push(entry.name)
  }
  const linked = await followLinks(folder, names.link.toSorted(), context)
  const isDeepest = rules.recursive_depth >= 0 && folder.depth >= rules.recursive_depth
  const below = (found: string[], is_link: boolean): Folder[] =>
    isDeepest ? [] : found.map((name) => ({ path: join(folder.path, name), depth: folder.depth + 1, is_link }))
  return {
    folder,
    videos: sortedOnce([...names.file, ...linked.files]).filter((name) => !downloading.has(name)),
    folders: below(sortedOnce(names.folder), false),
    links: below(linked.folders, true),
    is_empty: entries.length === 0,
  }
}

/** Undefined for what some file systems (FUSE, old XFS) do not tell with the name; pipes, sockets and devices are `other`. */
function kindOf(entry: Dirent | Stats): 'file' | 'folder' | 'link' | 'other' | undefined {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  if (entry.isSymbolicLink()) return 'link'
  const isOther = entry.isFIFO() || entry.isSocket() || entry.isBlockDevice() || entry.isCharacterDevice()
  return isOther ? 'other' : undefined
}

/** Names that are not UTF-8 can come out equal. */
function sortedOnce(names: string[]): string[] {
  return names.toSorted().filter((name, index, sorted) => name !== sorted[index - 1])
}

async function followLinks(folder: Folder, names: string[], context: WalkContext) {
  const files: string[] = []
  const folders: string[] = []
  for (let index = 0; index < names.length && !context.signal.aborted; index += linksAtOnce) {
    const some = names.slice(index, index + linksAtOnce)
    const kinds = await Promise.all(some.map((name) => followLink(folder, name, context)))
    files.push(...some.filter((_, position) => kinds[position] === 'file'))
    folders.push(...some.filter((_, position) => kinds[position] === 'folder'))
  }
  return { files, folders }
}

/** What a link leads to; undefined when that is nothing, or nothing that counts by the link's own path. */
async function followLink(folder: Folder, name: string, context: WalkContext): Promise<'file' | 'folder' | undefined> {
  const path = join(folder.path, name)
  try {
    const stats = await stat(path)
    if (stats.isDirectory()) return isFolderName(name) ? 'folder' : undefined
    if (!stats.isFile() || !isVideoName(name, context.rules.video_extensions)) return undefined
    return isFoundByItself(await realpath(path), context.place, context.rules) ? undefined : 'file'
  } catch (error) {
    context.problem(errnoOf(error) === 'ENOENT' ? `the link ${path} leads to nothing` : cannotRead(path, error))
    return undefined
  }
}
