import { sleep } from '../util/clock.ts'
import type { Parts } from './parts.ts'
import { discardStaged, stagingPath, sweepStaging } from './publish.ts'

/** Milliseconds between looks at leases, retries and deferred jobs. */
const tickMs = 1000
/** Ticks between sweeps of the staging folders. */
const sweepEvery = 60

/** Takes back what lost workers held, sends due retries back to the queue, and keeps the staging area clean, until the signal. */
export async function reapUntil(signal: AbortSignal, parts: Parts, onError: (error: unknown) => void): Promise<void> {
  for (let tick = 0; !signal.aborted; tick++) {
    try {
      await reapOnce(parts)
      if (tick % sweepEvery === 0) await sweep(parts)
    } catch (error) {
      onError(error)
    }
    await sleep(tickMs, signal)
  }
}

/** One look: whose lease ran out, whose pause is over. */
async function reapOnce(parts: Parts): Promise<void> {
  const { store, dispatcher } = parts
  for (const job of await store.reap()) {
    await discardStaged(stagingPath(parts.output_base, job))
    parts.progress.delete(job.id)
    const lost = (await store.attempts(job.id)).at(-1)
    parts.onEvent({
      type: job.status === 'failed' ? 'failed' : 'lost',
      job,
      detail: lost?.error_message ?? 'its lease ran out',
    })
  }
  await store.retryDue()
  if (dispatcher.hasWaiters && (await store.totals()).by_status.pending > 0) dispatcher.wake()
}

async function sweep(parts: Parts): Promise<void> {
  await sweepStaging(parts.output_base, async () => {
    const running = await parts.store.jobs({ status: 'processing', limit: 10_000 })
    return running.jobs
  })
}
