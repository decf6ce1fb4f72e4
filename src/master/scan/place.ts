import { access, constants, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, sep } from 'node:path'
import { isInside, realpathOfMissing } from '../real-path.ts'
import { isFolderName, isVideoName } from './names.ts'

/** What makes a path a source of this scan. */
export interface ScanRules {
  root_path: string
  output_base: string
  video_extensions: readonly string[]
  /** Folders below the root that are entered; -1 for all. */
  recursive_depth: number
}

/** Where the root and the outputs really lie at the moment, behind all links. */
export interface Place {
  real_root: string
  real_output: string
  /** Of the output folder; null while there is none, or when the root lies in it and so must be entered. */
  output_id: string | null
}

/** Finds the root and the output folder on disk. Rejects with the file system's error when the root cannot be entered. */
export async function findPlace(rules: ScanRules): Promise<Place> {
  await idOf(rules.root_path)
  await access(rules.root_path, constants.R_OK | constants.X_OK)
  const real_root = await realpath(rules.root_path)
  const real_output = await realpathOfMissing(rules.output_base)
  const holdsRoot = isInside(real_root, real_output)
  return { real_root, real_output, output_id: holdsRoot ? null : await idOf(rules.output_base).catch(() => null) }
}

/**
 * What is equal for two paths of one folder. Rejects with the file system's error; `ENOTDIR` when it is no folder.
 * Inode numbers are read as bigints: FUSE file systems use all 64 bits. One that has none gives 0 for every file.
 */
export async function idOf(folder: string): Promise<string> {
  const stats = await stat(folder, { bigint: true })
  if (!stats.isDirectory()) throw Object.assign(new Error(`${folder} is not a folder`), { code: 'ENOTDIR' })
  return stats.ino === 0n ? realpath(folder) : `${stats.dev}:${stats.ino}`
}

/** Whether a scan finds the file at this real path by itself, or must not: a link to it then counts for nothing. */
export function isFoundByItself(real_path: string, place: Place, rules: ScanRules): boolean {
  if (!isInside(place.real_root, place.real_output) && isInside(real_path, place.real_output)) return true
  if (!isInside(real_path, place.real_root)) return false
  const folders = relative(place.real_root, dirname(real_path)).split(sep).filter(Boolean)
  const isInDepth = rules.recursive_depth < 0 || folders.length <= rules.recursive_depth
  return isInDepth && folders.every(isFolderName) && isVideoName(basename(real_path), rules.video_extensions)
}

/** Whether a result at this place would be found as a source by the next scan. Both paths as configured. */
export function isOutputScanned(output_path: string, place: Place, rules: ScanRules): boolean {
  const isOwnFolder = place.real_output !== place.real_root && isInside(place.real_output, place.real_root)
  return !isOwnFolder && isInside(join(place.real_output, relative(rules.output_base, output_path)), place.real_root)
}
