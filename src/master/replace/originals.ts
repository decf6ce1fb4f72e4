import { lstat, mkdir, rmdir, unlink } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Job } from '../../contract/job.ts'
import type { StoredReplacement } from '../../queue/replacements.ts'
import type { Clock } from '../../util/clock.ts'
import { errnoOf } from '../../util/errno.ts'
import { syncFolders } from '../moves.ts'
import type { Parts } from '../parts.ts'
import { attemptFolder, ownFolder } from '../publish.ts'
import { isPopulated } from '../source-check.ts'

/** Originals looked at in one sweep: to remove a large file can take a disk a second. */
const perSweep = 20
/** Milliseconds by which a clock may gain on the steady one between two sweeps before it is not believed. */
const longestGainMs = 3_600_000
/** Milliseconds for which it is not believed then. */
const distrustMs = 86_400_000

/** Where the original of an attempt is kept, below the root so that it is on the source's own file system. */
export function keptPath(root_path: string, job: Pick<Job, 'id' | 'attempt' | 'source_path' | 'output_path'>): string {
  return join(originalsFolder(root_path), attemptFolder(job), basename(job.source_path))
}

/**
 * Makes the folder of originals. Nobody but the master's user may enter it: a film that lay in a private folder stays private.
 * Rejects with the file system's error.
 */
export async function openOriginals(root_path: string): Promise<void> {
  await mkdir(join(root_path, ownFolder), { recursive: true })
  const made = await mkdir(originalsFolder(root_path), { recursive: true, mode: 0o700 })
  if (made !== undefined) await syncFolders(originalsFolder(root_path), join(root_path, ownFolder))
}

function originalsFolder(root_path: string): string {
  return join(root_path, ownFolder, 'originals')
}

/** The root that a path of `keptPath` was made for. */
function rootOf(kept_path: string): string {
  return dirname(dirname(dirname(dirname(kept_path))))
}

/** Whether the storage on which an original is kept is there at all. */
export async function isStorageThere({ kept_path }: Pick<StoredReplacement, 'kept_path'>): Promise<boolean> {
  return isPopulated(rootOf(kept_path))
}

/** What a sweep of originals works with. */
export type SweepParts = Pick<Parts, 'store' | 'clock' | 'log' | 'replace'>

/**
 * Removes the originals whose time is over: only files that the journal names, and that still are what it says. A longer
 * `keep_originals` holds for those that are kept already, a shorter one for new ones alone.
 */
export async function sweepOriginals({ store, clock, log, replace }: SweepParts): Promise<void> {
  const { keep_originals_ms } = replace
  if (keep_originals_ms === 0) return
  const now_ms = clock()
  const due = await store.dueOriginals({ now_ms, replaced_before_ms: now_ms - keep_originals_ms, limit: perSweep })
  for (const replacement of due) {
    const { job_id, kept_path } = replacement
    const what = await removeOriginal(replacement)
    if (what === undefined) continue
    await store.forgetOriginal(replacement)
    log.info(`original ${what}`, { job_id, kept_path, result_path: replacement.result_path })
  }
}

/** What became of an original; undefined when it is to be looked at again. */
async function removeOriginal(replacement: StoredReplacement): Promise<string | undefined> {
  const { kept_path, original_size, original_mtime_ms } = replacement
  try {
    const found = await lstat(kept_path)
    const isSame = found.size === original_size && Math.floor(found.mtimeMs) === original_mtime_ms
    if (!found.isFile() || !isSame) return 'left where it is: it is another file by now'
    await unlink(kept_path)
    await rmdir(dirname(kept_path)).catch(() => {})
    return 'removed: it was kept for its time'
  } catch (error) {
    const isGone = errnoOf(error) === 'ENOENT' && (await isStorageThere(replacement))
    return isGone ? 'not kept any more: somebody removed it' : undefined
  }
}

/**
 * Tells whether the clock can be believed when it says that an original's time is over. One that was set forward is not for
 * a day of running time: so long there is to set it right. `steady_ms` never jumps. `onJump` is told by how much.
 */
export function clockTrust(
  clock: Clock,
  { steady_ms = () => performance.now(), onJump }: { steady_ms?: () => number; onJump: (gain_ms: number) => void },
): () => boolean {
  let last = { clock: clock(), steady: steady_ms() }
  let distrustedUntil = -Infinity
  return () => {
    const now = { clock: clock(), steady: steady_ms() }
    const gain = now.clock - last.clock - (now.steady - last.steady)
    last = now
    if (gain > longestGainMs) {
      distrustedUntil = now.steady + distrustMs
      onJump(gain)
    }
    return now.steady >= distrustedUntil
  }
}
