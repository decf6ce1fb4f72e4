import type { Handlers } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Job } from '../contract/job.ts'
import type { Heartbeat } from '../contract/worker.ts'
import { discardAttempt } from './discard-attempt.ts'
import type { Parts } from './parts.ts'
import { asideText, asideView } from './worker-views.ts'

type PresenceCalls = 'register' | 'heartbeat' | 'leave'

/** A claim that a worker says it holds. */
type Claim = { job_id: string; attempt: number }

/** What workers tell the master of themselves: that they come, are there, and go. */
export function presenceCalls(parts: Parts): Pick<Handlers, PresenceCalls> {
  const { store, worker_timeout_ms } = parts
  return {
    async register(worker) {
      const { known, is_refused } = await store.register(worker, parts.clock() - worker_timeout_ms)
      if (is_refused) throw runsElsewhere(worker.worker_id, known?.hostname ?? 'another host')
      noteObstacle(parts, worker)
      const isSameProcess = known?.boot_id === worker.boot_id
      if (!isSameProcess) parts.log.info(`worker ${worker.worker_id} joined`, { hostname: worker.hostname })
      const kept = await renewClaims(parts, worker.worker_id, worker.claims ?? [])
      const released = isSameProcess
        ? 0
        : await releaseAll(parts, worker.worker_id, 'its worker was started anew', kept)
      return { released, lease_ms: worker_timeout_ms }
    },

    async leave({ worker_id, boot_id }) {
      await refuseReplaced(parts, worker_id, boot_id)
      await store.markOffline(worker_id)
      parts.reach.left(worker_id)
      parts.log.info(`worker ${worker_id} left`)
      return { released: await releaseAll(parts, worker_id, 'its worker was stopped') }
    },

    async heartbeat(heartbeat) {
      const { worker_id, boot_id, claims } = heartbeat
      if (boot_id !== undefined) await refuseReplaced(parts, worker_id, boot_id)
      await store.heartbeat(heartbeat)
      noteObstacle(parts, heartbeat)
      parts.reach.heard(worker_id)
      if (claims) await renewClaims(parts, worker_id, claims)
      // A foreign worker that says it has no job has lost the answer that gave it one.
      else if (heartbeat.active_jobs !== 0) await store.renewWorker(worker_id, worker_timeout_ms)
      const set_aside = (await store.setAside()).find((aside) => aside.worker_id === worker_id)
      return set_aside ? { status: 'ok', message: asideText(asideView(set_aside, parts.clock())) } : { status: 'ok' }
    },
  }
}

/** The newest process of a worker counts; an older one that is still there is told so and stops. */
export async function refuseReplaced(
  { store }: Pick<Parts, 'store'>,
  worker_id: string,
  boot_id: string,
): Promise<void> {
  const known = await store.worker(worker_id)
  if (known && known.boot_id !== null && known.boot_id !== boot_id) {
    throw new DarkstreamError(
      'worker_replaced',
      `another process registered as worker ${worker_id}: give each worker its own worker.id`,
    )
  }
}

/** Where host names change at each start, as in containers, a worker that was killed waits until the known one is offline. */
function runsElsewhere(worker_id: string, hostname: string): DarkstreamError {
  return new DarkstreamError('conflict', `a worker ${worker_id} runs on ${hostname}: give this one another worker.id`)
}

function noteObstacle({ obstacles }: Parts, { worker_id, obstacle }: Heartbeat): void {
  if (obstacle === undefined) obstacles.delete(worker_id)
  else obstacles.set(worker_id, obstacle)
}

/** Prolongs the leases of these claims; those that are the worker's still. */
async function renewClaims(
  { store, worker_timeout_ms }: Parts,
  worker_id: string,
  claims: readonly Claim[],
): Promise<Claim[]> {
  const renewed: Claim[] = []
  for (const claim of claims) {
    if (await store.renew({ ...claim, worker_id }, worker_timeout_ms)) renewed.push(claim)
  }
  return renewed
}

/** Gives back what is in a worker's name, but for claims whose ends it has yet to tell; how many jobs. */
async function releaseAll(
  parts: Parts,
  worker_id: string,
  detail: string,
  kept: readonly Claim[] = [],
): Promise<number> {
  const released =
    kept.length === 0 ? await parts.store.releaseWorker(worker_id) : await releaseOthers(parts, worker_id, kept)
  for (const job of released) {
    await discardAttempt(parts, job)
    parts.onEvent({ type: 'released', job, detail })
  }
  if (released.length > 0) parts.dispatcher.wake()
  return released.length
}

async function releaseOthers({ store }: Parts, worker_id: string, kept: readonly Claim[]): Promise<Job[]> {
  const { jobs } = await store.jobs({ status: 'processing', worker_id, limit: 10_000 })
  const others = jobs.filter(({ id, attempt }) => !kept.some((c) => c.job_id === id && c.attempt === attempt))
  const released: Job[] = []
  for (const job of others) {
    if (await store.release({ job_id: job.id, worker_id, attempt: job.attempt })) released.push(job)
  }
  return released
}
