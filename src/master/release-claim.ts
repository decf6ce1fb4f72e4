import type { Job } from '../contract/job.ts'
import type { ClaimKey } from '../queue/store.ts'
import { discardAttempt } from './discard-attempt.ts'
import type { Parts } from './parts.ts'
import { type SourceState, unmountedPauseMs } from './source-check.ts'

/**
 * Gives back a claim that ended by nobody's fault: the job is pending again, from `not_before_ms` on, and `detail` is told
 * as the reason. Undefined when the claim is not the caller's any more.
 */
async function releaseClaim(
  parts: Parts,
  key: ClaimKey,
  { not_before_ms, detail }: { not_before_ms: number; detail: string },
): Promise<Job | undefined> {
  const job = await parts.store.release(key, not_before_ms)
  if (!job) return undefined
  await discardAttempt(parts, job)
  parts.onEvent({ type: 'released', job, detail })
  return job
}

/** Of a source that was written to meanwhile: it is looked at anew once it has settled. */
export async function releaseChanged(
  parts: Parts,
  key: ClaimKey,
  source: SourceState & { state: 'changed' },
  detail: string,
): Promise<Job | undefined> {
  await parts.store.updateSource(key.job_id, source)
  return releaseClaim(parts, key, { not_before_ms: parts.clock() + parts.settle_time_ms, detail })
}

/** Of a source that cannot be seen because nothing of its storage can; `what` says what happened then. */
export async function releaseUnmounted(parts: Parts, key: ClaimKey, what: string): Promise<Job | undefined> {
  const detail = `${what} while the source folder ${parts.root_path} was missing or empty: is its storage mounted?`
  return releaseClaim(parts, key, { not_before_ms: parts.clock() + unmountedPauseMs, detail })
}
