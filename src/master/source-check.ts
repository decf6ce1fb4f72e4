import { readdir, stat } from 'node:fs/promises'
import type { Job } from '../contract/job.ts'
import { errnoOf } from '../util/errno.ts'

/** Milliseconds before a job is offered again whose storage is not mounted. */
export const unmountedPauseMs = 10_000

/** What the source looks like now, against what the scan saw. */
export type SourceState =
  | { state: 'unchanged' }
  | { state: 'changed'; source_size: number; source_mtime_ms: number }
  /** The file is gone though the storage is there. */
  | { state: 'missing' }
  /** Neither the file nor anything else: the storage is not mounted. */
  | { state: 'unmounted' }

/** Compares a job's source with its fingerprint. Of a job without one, which no scan of ours has seen, nothing can be said. */
export async function checkSource(job: Job, root_path: string): Promise<SourceState> {
  if (job.source_mtime_ms === null) return { state: 'unchanged' }
  try {
    const found = await stat(job.source_path)
    const source = { source_size: found.size, source_mtime_ms: Math.floor(found.mtimeMs) }
    const isSame = job.source_size === source.source_size && job.source_mtime_ms === source.source_mtime_ms
    return isSame ? { state: 'unchanged' } : { state: 'changed', ...source }
  } catch (error) {
    // Unreadable is the worker's to say: it may have rights that the master has not.
    if (!['ENOENT', 'ENOTDIR', 'ESTALE'].includes(errnoOf(error) ?? '')) return { state: 'unchanged' }
    return { state: (await isPopulated(root_path)) ? 'missing' : 'unmounted' }
  }
}

/** Whether a folder holds anything: a mount point without its storage does not. */
export async function isPopulated(folder: string): Promise<boolean> {
  return readdir(folder).then(
    (names) => names.length > 0,
    () => false,
  )
}
