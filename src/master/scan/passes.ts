import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { FoundSource } from '../../queue/store.ts'
import { outputCandidates, replacementCandidates, rivalNames } from '../outputs.ts'
import { type Intake, takeIn } from './intake.ts'
import { companionOf } from './names.ts'
import type { ScannerOptions } from './options.ts'
import { type Place, isOutputScanned } from './place.ts'
import type { Candidate, Settler } from './settle.ts'
import type { Tally } from './tally.ts'
import { type Folder, type Listing, type WalkContext, walk } from './walk.ts'
import type { FolderWatch } from './watch.ts'

/** What every pass over the sources works with. */
export interface Pass {
  options: ScannerOptions
  place: Place
  tally: Tally
  settler: Settler
  /** Undefined when folders are not watched. */
  watch: FolderWatch | undefined
  signal: AbortSignal
  add: (sources: readonly FoundSource[]) => Promise<void>
}

/** Looks at everything below the root, each real folder once. Resolves with whether the root gave no entry at all. */
export async function scanAll(pass: Pass): Promise<{ is_empty: boolean }> {
  const visited = new Set<string | null>([pass.place.output_id])
  let is_empty = true
  const enter = (_: Folder, id: string) => isNew(visited, id)
  const names = (listing: Listing) => {
    if (listing.folder.depth === 0) is_empty = listing.is_empty
    return listing.videos
  }
  const root = { path: pass.options.root_path, depth: 0, is_link: false }
  await takeIn(
    candidates(root, enter, names, pass),
    intake(pass, () => pass.tally.files_seen++),
  )
  return { is_empty }
}

/** Looks at a folder in which these names changed (null: any may have), and at all of the folders that are new in it. */
export async function lookAgain(changed: Folder, changedNames: ReadonlySet<string> | null, pass: Pass): Promise<void> {
  const visited = new Set<string | null>([pass.place.output_id])
  const enter = (folder: Folder, id: string) => {
    if (folder.path === changed.path) return isNew(visited, id)
    // A real folder that is watched under another path was moved here; a link to one says nothing new.
    const isKnown = folder.is_link ? pass.watch?.knows(id) : pass.watch?.isWatching(folder.path, id)
    return !isKnown && isNew(visited, id)
  }
  const wanted = changedNames && new Set([...changedNames].flatMap((name) => [name, companionOf(name) ?? name]))
  const names = ({ folder, videos }: Listing) =>
    folder.path === changed.path && wanted ? videos.filter((name) => wanted.has(name)) : videos
  await takeIn(candidates(changed, enter, names, pass), intake(pass))
}

/** Looks at the young files whose time has come. */
export async function lookAtYoung(pass: Pass): Promise<void> {
  await takeIn(pass.settler.due(), intake(pass))
}

/** The candidates below a folder; `names` picks those of a listing. */
async function* candidates(
  start: Folder,
  enter: WalkContext['enter'],
  names: (listing: Listing) => readonly string[],
  { options, place, tally, watch, signal }: Pass,
): AsyncGenerator<Candidate> {
  const enterWatched = (folder: Folder, id: string) => {
    // The output folder may have been made after its id was looked up.
    if ((folder.depth > 0 && folder.path === options.output_base) || !enter(folder, id)) return false
    watch?.add(folder, id)
    return true
  }
  const context = { rules: options, place, signal, enter: enterWatched, problem: (text: string) => tally.problem(text) }
  for await (const listing of walk(start, context)) {
    const { folder, videos, folders, links } = listing
    watch?.keep(
      folder.path,
      [...folders, ...links].map((below) => below.path),
    )
    // Sorting and grouping a folder of 200,000 names take 0.2 s each: other work gets a turn between them.
    await setImmediate()
    const siblings = rivalNames(videos)
    for (const name of names(listing)) yield { source_path: join(folder.path, name), siblings: siblings(name) }
  }
}

function intake({ options, place, tally, settler, signal, add }: Pass, seen: () => void = () => {}): Intake {
  const { root_path, output_base, container, replaces, ruleOf } = options
  return {
    settler,
    signal,
    add,
    seen,
    problem: (sentence) => tally.problem(sentence),
    outputs({ source_path, siblings }) {
      if (replaces) return { output_paths: replacementCandidates(source_path, container, siblings), problem: null }
      const output_paths = outputCandidates(source_path, root_path, output_base, container, siblings)
      const isScanned = output_paths.some((path) => isOutputScanned(path, place, options))
      return {
        output_paths,
        problem: isScanned ? 'its result would lie among the sources; choose another output folder' : null,
        rule: ruleOf?.(source_path),
      }
    },
  }
}

function isNew(visited: Set<string | null>, id: string): boolean {
  if (visited.has(id)) return false
  visited.add(id)
  return true
}
