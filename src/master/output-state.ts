import { lstat, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Job } from '../contract/job.ts'
import type { Publication } from '../queue/store.ts'
import { isInside, realpathOfMissing } from './real-path.ts'

/**
 * What lies where a job's result belongs. `free`: nothing. `ours`: what darkstream, or a foreign worker for this job, put
 * there. `foreign`: a file that somebody else did, or changed since. `source`: a place that no result may take, since it is
 * the job's own source or lies among the sources.
 */
export type OutputState = 'free' | 'ours' | 'foreign' | 'source'

/** Looks at a job's output path. The only judge of whether it may be written. */
export async function outputState(
  job: Pick<Job, 'source_path' | 'output_path'>,
  publication: Publication | undefined,
  folders: { root_path: string; output_base: string },
): Promise<OutputState> {
  if (await isAmongSources(job, folders)) return 'source'
  const found = await lstat(job.output_path).catch(() => undefined)
  if (found === undefined) return 'free'
  if (publication === undefined || !found.isFile()) return 'foreign'
  const { published_size, published_mtime_ms, publish_size } = publication
  if (published_size === -1) return 'ours'
  // In the middle of a publication the result may be there already, before it was noted.
  if (publish_size === found.size) return 'ours'
  const isTime = published_mtime_ms === null || published_mtime_ms === Math.floor(found.mtimeMs)
  return published_size === found.size && isTime ? 'ours' : 'foreign'
}

/** Compared behind all links, since the output tree may be linked into the source tree, and by inode, since names may differ in case. */
async function isAmongSources(
  { source_path, output_path }: Pick<Job, 'source_path' | 'output_path'>,
  { root_path, output_base }: { root_path: string; output_base: string },
): Promise<boolean> {
  const [folder, root, base] = await Promise.all([dirname(output_path), root_path, output_base].map(realpathOfMissing))
  if (folder === undefined || root === undefined || base === undefined) return true
  const source = await realpath(source_path).catch(() => source_path)
  if (join(folder, basename(output_path)) === source) return true
  const [here, there] = await Promise.all(
    [output_path, source_path].map(async (path) => stat(path).catch(() => undefined)),
  )
  if (here && there && here.ino !== 0 && here.ino === there.ino && here.dev === there.dev) return true
  return isInside(folder, root) && (!isInside(folder, base) || isInside(root, base))
}

/** Why a result may not be written to where it belongs. */
export function whyNotWritten(state: 'foreign' | 'source', output_path: string): string {
  if (state === 'source')
    return `the result would lie among the sources, at ${output_path}: choose another output folder`
  return `there is already a file at ${output_path} that was not made here: move it away, or set conversion.overwrite: true`
}
