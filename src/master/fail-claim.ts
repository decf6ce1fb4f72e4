import type { Attempt, Job } from '../contract/job.ts'
import type { Parsed, Reply } from '../contract/routes.ts'
import type { ClaimKey } from '../queue/store.ts'
import { discardAttempt } from './discard-attempt.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { releaseUnmounted } from './release-claim.ts'
import { retryAt } from './retry-policy.ts'
import { checkSource } from './source-check.ts'
import { asideText, asideView } from './worker-views.ts'

/**
 * Takes a worker's word that an attempt failed: the job is offered to others, waits for its retry or is failed for good, and
 * a worker that fails at everything is set aside. Sent twice, it answers twice and counts once. While the storage of the
 * sources is not mounted nothing is anybody's failure: the job is queued again.
 */
export async function failClaim(parts: Parts, failure: Parsed<'fail'>): Promise<Reply<'fail'>> {
  const { store, clock } = parts
  const { worker_id, report } = failure
  const before = await store.job(failure.job_id)
  const isUnmounted = isOwner(before, failure) && (await checkSource(before, parts.root_path)).state === 'unmounted'
  const released = isUnmounted ? await releaseUnmounted(parts, failure, 'it failed') : undefined
  if (released) return { status: released.status }
  const asideBefore = await asideUntil(parts, worker_id)
  const job = await store.fail(failure, {
    ...failure,
    report,
    retry_at_ms: before ? retryAt(before, report?.class ?? 'retryable', parts.retry, clock()) : null,
    heard_since_ms: clock() - parts.worker_timeout_ms,
  })
  if (!job) return answerRepeated(parts, failure, 'failed')
  await discardAttempt(parts, job)
  tell(parts, job, worker_id)
  const aside = await asideUntil(parts, worker_id)
  if (aside && aside.until_ms !== asideBefore?.until_ms) {
    parts.log.warn(`worker ${worker_id} ${asideText(asideView(aside, clock()))}`, { worker_id })
  }
  return { status: job.status }
}

/**
 * Answers a call that ends a claim which is not the caller's to end: when it has ended so before (the answer was lost on
 * the way), again with the job's state.
 *
 * @throws DarkstreamError `conflict` when that is not how it ended
 */
export async function answerRepeated(
  { store }: Pick<Parts, 'store'>,
  { job_id, worker_id, attempt }: ClaimKey,
  outcome: Attempt['outcome'],
): Promise<Reply<'fail'>> {
  const job = await store.job(job_id)
  const ended = (await store.attempts(job_id)).find((one) => one.attempt === attempt && one.worker_id === worker_id)
  if (!job || ended?.outcome !== outcome) throw notOwner(job, job_id, worker_id)
  return { status: job.status }
}

function tell({ onEvent, dispatcher }: Parts, job: Job, worker_id: string): void {
  if (job.status !== 'pending') return onEvent({ type: 'failed', job })
  onEvent({ type: 'failed', job, detail: `worker ${worker_id} cannot do it: it is offered to others` })
  dispatcher.wake()
}

async function asideUntil({ store }: Parts, worker_id: string) {
  return (await store.setAside()).find((aside) => aside.worker_id === worker_id)
}
