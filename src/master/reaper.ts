import { nobodyTook } from '../queue/refusal.ts'
import { sleep } from '../util/clock.ts'
import { formatDuration } from '../util/format.ts'
import { discardAttempt } from './discard-attempt.ts'
import type { Parts } from './parts.ts'
import { sweepStaging } from './publish.ts'
import { clockTrust, sweepOriginals } from './replace/originals.ts'
import { retryAt } from './retry-policy.ts'

/** Milliseconds between looks at leases, retries and deferred jobs. */
const tickMs = 1000
/** Ticks between sweeps of the staging folders, and between words about what keeps the store from being tidied. */
const sweepEvery = 60
/** Milliseconds for which a job that a worker cannot do is kept for others, however busy they are. */
const longestOfferMs = 3_600_000

/**
 * Takes back what lost workers held, sends due retries back to the queue, and keeps the queue's store and the staging area
 * clean, until the signal.
 */
export async function reapUntil(signal: AbortSignal, parts: Parts, onError: (error: unknown) => void): Promise<void> {
  const onJump = (gain_ms: number) =>
    parts.log.warn(
      `the clock was set forward by ${formatDuration(gain_ms / 1000)}: originals that are kept aside are not removed for a day`,
    )
  const isClockTrusted = clockTrust(parts.clock, { onJump })
  for (let tick = 0; !signal.aborted; tick++) {
    try {
      await reapOnce(parts)
      const problem = await parts.store.tidy()
      if (tick % sweepEvery !== 0) continue
      if (problem !== undefined) parts.log.warn(problem)
      await sweep(parts)
      await parts.uploads.prune()
      if (isClockTrusted()) await sweepOriginals(parts)
    } catch (error) {
      onError(error)
    } finally {
      await sleep(tickMs, signal)
    }
  }
}

/** One look: whose lease ran out, whose pause is over. */
async function reapOnce(parts: Parts): Promise<void> {
  const { store, dispatcher } = parts
  for (const job of await store.reap()) {
    await discardAttempt(parts, job)
    const lost = (await store.attempts(job.id)).at(-1)
    parts.onEvent({
      type: job.status === 'failed' ? 'failed' : 'lost',
      job,
      detail: lost?.error_message ?? 'its lease ran out',
    })
  }
  await endOffers(parts)
  await store.retryDue()
  if (dispatcher.hasWaiters && (await store.totals()).by_status.pending > 0) dispatcher.wake()
}

/**
 * What a worker cannot do and no other took comes back to all, as a failure with its pause: where nobody is left to take it
 * for as long as a worker may be silent, or after an hour. A master that has just started knows of nobody yet.
 */
async function endOffers(parts: Parts): Promise<void> {
  const { store, worker_timeout_ms } = parts
  const now_ms = parts.clock()
  const heard_since_ms = now_ms - worker_timeout_ms
  if (heard_since_ms < Date.parse(parts.started_at)) return
  const overdue_before_ms = now_ms - Math.max(longestOfferMs, worker_timeout_ms)
  for (const job_id of await store.stranded({ heard_since_ms, settled_before_ms: heard_since_ms, overdue_before_ms })) {
    const job = await store.job(job_id)
    const failed = (await store.attempts(job_id)).findLast(({ outcome }) => outcome === 'failed')
    const stranded = await store.strand(job_id, {
      error_message: nobodyTook(failed?.error_message ?? null),
      retry_at_ms: job ? retryAt(job, 'worker', parts.retry, now_ms) : null,
    })
    if (stranded) parts.onEvent({ type: 'failed', job: stranded, detail: 'it waited for another worker' })
  }
}

async function sweep(parts: Parts): Promise<void> {
  await sweepStaging(parts.output_base, async () => {
    const running = await parts.store.jobs({ status: 'processing', limit: 10_000 })
    return running.jobs
  })
}
