import { lstat, mkdir, rmdir, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import type { Job } from '../../contract/job.ts'
import type { Reply } from '../../contract/routes.ts'
import type { StoredReplacement } from '../../queue/replacements.ts'
import { timestamp } from '../../util/clock.ts'
import type { Parts } from '../parts.ts'
import { fileAt, PublishError } from '../publish.ts'
import { isStorageThere } from './originals.ts'
import { swap } from './swap.ts'

const reason = 'undone by request: the original is back'

type Done = Reply<'undoJob'>

/**
 * Puts the original of a replaced job back and removes the result, unless somebody changed what lies there. The job is then
 * skipped, so that no scan converts it again. Asked twice, it answers twice and acts once.
 */
export function undoing(parts: Parts): (job_id: string) => Promise<Done> {
  const running = new Map<string, Promise<Done>>()
  return async (job_id) => {
    const current = running.get(job_id) ?? undo(parts, job_id).finally(() => running.delete(job_id))
    running.set(job_id, current)
    return current
  }
}

async function undo(parts: Parts, job_id: string): Promise<Done> {
  const { store } = parts
  const job = await store.job(job_id)
  if (!job) throw new DarkstreamError('not_found', `there is no job ${job_id}`)
  const known = await store.replacement(job_id)
  if (known?.state === 'undone' && job.status !== 'completed') return done(known, job)
  const problem = await whyNotUndone(parts, job, known)
  if (problem !== undefined) throw new DarkstreamError('conflict', `job ${job_id} cannot be undone: ${problem}`)
  const begun = known?.state === 'undoing' ? known : await store.beginUndo(job_id)
  if (!begun) throw new DarkstreamError('conflict', `job ${job_id} changed at this moment: ask again`)
  return done(begun, (await putBack(parts, begun)) ?? job)
}

function done({ original_path }: StoredReplacement, { id, status }: Job): Done {
  return { status, message: `job ${id} is ${status}: the original is back at ${original_path}` }
}

/** Why the original cannot be put back as things are, a clause; undefined when it can. */
async function whyNotUndone(parts: Parts, job: Job, known: StoredReplacement | undefined): Promise<string | undefined> {
  if (!known || known.state === 'undone' || known.state === 'swapping') return 'no original of it is kept'
  const { kept_path, original_path, original_size, result_path, result_size, result_mtime_ms } = known
  if (known.state === 'undoing') return undefined
  if (known.state === 'gone') {
    const until = known.kept_until_ms === null ? '' : ` (it was kept until ${timestamp(known.kept_until_ms)})`
    return `its original is gone${until}`
  }
  const isCurrent = job.status === 'completed' && job.attempt === known.attempt
  if (!isCurrent) return `it is ${job.status} since its source changed; what was replaced lies at ${kept_path}`
  const kept = await fileAt(kept_path)
  if (!kept) {
    if (!(await isStorageThere(known))) return `nothing is at ${kept_path} or around it: is the storage mounted?`
    await parts.store.forgetOriginal(known)
    return `its original is gone: somebody removed ${kept_path}`
  }
  if (kept.size_bytes !== original_size) return `the file at ${kept_path} is not the original any more`
  const result = await lookAt(result_path)
  const isResult = result?.size_bytes === result_size && result.mtime_ms === result_mtime_ms
  if (result && !isResult) return `the file at ${result_path} is not its result any more: move it away and undo again`
  const isTaken = original_path !== result_path && (await lookAt(original_path)) !== undefined
  return isTaken ? `there is another file at ${original_path}: move it away and undo again` : undefined
}

/** Whatever lies at a path, a folder or link too. */
async function lookAt(path: string): Promise<{ size_bytes: number; mtime_ms: number } | undefined> {
  return lstat(path).then(
    (found) => ({ size_bytes: found.isFile() ? found.size : -1, mtime_ms: Math.floor(found.mtimeMs) }),
    () => undefined,
  )
}

/** Does what is noted as begun; the job as it is then. */
async function putBack(parts: Parts, begun: StoredReplacement): Promise<Job | undefined> {
  const { store, onEvent, replace } = parts
  const folder = dirname(begun.kept_path)
  const removed = join(folder, 'undone', 'result')
  try {
    // A folder is made again that somebody removed, but never in an empty mount point.
    if (!(await isStorageThere(begun))) throw new PublishError('its storage is not mounted')
    await mkdir(dirname(begun.original_path), { recursive: true }).catch((cause: Error) => {
      throw new PublishError(`its folder cannot be made: ${cause.message}`, { cause })
    })
    await swap(
      {
        from: begun.kept_path,
        arriving: { size_bytes: begun.original_size, mtime_ms: begun.original_mtime_ms },
        to: begun.original_path,
        old: begun.result_path,
        leaving: { size_bytes: begun.result_size, mtime_ms: begun.result_mtime_ms },
        aside: removed,
        mayBeGone: true,
      },
      replace.moves,
    )
  } catch (error) {
    if (!(error instanceof PublishError)) throw error
    if (await isStorageThere(begun)) await store.abandonUndo(begun)
    throw new DarkstreamError('conflict', `job ${begun.job_id} cannot be undone: ${error.message}`, { cause: error })
  }
  await unlink(removed).catch(() => {})
  for (const empty of [dirname(removed), folder]) await rmdir(empty).catch(() => {})
  const job = await store.endUndo(begun, reason)
  if (job) onEvent({ type: 'skipped', job })
  return job
}

/** Ends the undoings that an interrupted master left half done. */
export async function recoverUndoings(parts: Parts): Promise<void> {
  for (const begun of await parts.store.undoing()) {
    await putBack(parts, begun).catch((error: unknown) =>
      parts.log.warn(`an undo that was cut short is not ended: ${String(error)}`, { job_id: begun.job_id }),
    )
  }
}
