import type { Handlers } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Assignment, Job } from '../contract/job.ts'
import type { Heartbeat } from '../contract/worker.ts'
import { answerRepeated, failClaim } from './fail-claim.ts'
import { finishClaim } from './finish.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { postpone } from './postpone.ts'
import { discardStaged, stagingPath } from './publish.ts'
import { hasOwnPriority, profileOf, profilesFor, settingsOf } from './settings-of.ts'
import { skipClaim } from './skip-claim.ts'
import { asideText, asideView } from './worker-views.ts'

type WorkerCalls =
  | 'nextJob'
  | 'claim'
  | 'register'
  | 'heartbeat'
  | 'reportProgress'
  | 'complete'
  | 'fail'
  | 'skip'
  | 'release'
  | 'leave'

/** A claim that a worker says it holds. */
type Claim = { job_id: string; attempt: number }

/** What workers ask of the master. Each call that changes a job is safe to send twice. */
export function workerCalls(parts: Parts): Pick<Handlers, WorkerCalls> {
  const { store, dispatcher, worker_timeout_ms } = parts
  const finish = finishClaim(parts)
  let isForeignTold = false
  return {
    async nextJob({ worker_id, wait }, signal) {
      if (parts.replace.enabled && !isForeignTold) {
        isForeignTold = true
        const why = 'it writes results itself, and replace.enabled lets only our own workers convert'
        parts.log.warn(`worker ${worker_id} is given no jobs: ${why}`, { worker_id })
      }
      const job = await dispatcher.next({ worker_id, request_id: null }, wait * 1000, signal)
      return job ? assignment(job) : null
    },

    async claim({ worker_id, boot_id, request_id, wait, max_source_bytes }, signal) {
      await refuseReplaced(worker_id, boot_id)
      const job = await dispatcher.next({ worker_id, request_id, max_source_bytes }, wait * 1000, signal)
      return job ? assignment(job) : null
    },

    async register(worker) {
      const { known, is_refused } = await store.register(worker, parts.clock() - worker_timeout_ms)
      if (is_refused) throw runsElsewhere(worker.worker_id, known?.hostname ?? 'another host')
      noteObstacle(worker)
      const isSameProcess = known?.boot_id === worker.boot_id
      if (!isSameProcess) parts.log.info(`worker ${worker.worker_id} joined`, { hostname: worker.hostname })
      const kept = await renewClaims(worker.worker_id, worker.claims ?? [])
      const released = isSameProcess ? 0 : await releaseAll(worker.worker_id, 'its worker was started anew', kept)
      return { released, lease_ms: worker_timeout_ms }
    },

    async leave({ worker_id, boot_id }) {
      await refuseReplaced(worker_id, boot_id)
      await store.markOffline(worker_id)
      parts.log.info(`worker ${worker_id} left`)
      return { released: await releaseAll(worker_id, 'its worker was stopped') }
    },

    async heartbeat(heartbeat) {
      const { worker_id, boot_id, claims } = heartbeat
      if (boot_id !== undefined) await refuseReplaced(worker_id, boot_id)
      await store.heartbeat(heartbeat)
      noteObstacle(heartbeat)
      if (claims) await renewClaims(worker_id, claims)
      // A foreign worker that says it has no job has lost the answer that gave it one.
      else if (heartbeat.active_jobs !== 0) await store.renewWorker(worker_id, worker_timeout_ms)
      const set_aside = (await store.setAside()).find((aside) => aside.worker_id === worker_id)
      return set_aside ? { status: 'ok', message: asideText(asideView(set_aside, parts.clock())) } : { status: 'ok' }
    },

    async reportProgress({ job_id, worker_id, attempt, progress }) {
      const job = await store.job(job_id)
      if (!isOwner(job, { job_id, worker_id, attempt })) throw notOwner(job, job_id, worker_id)
      parts.progress.set(job_id, { attempt, progress })
      return { status: 'ok' }
    },

    async complete(input) {
      return finish(input)
    },

    async fail(input) {
      return failClaim(parts, input)
    },

    async skip(input) {
      return skipClaim(parts, input)
    },

    async release({ source_facts, ...claim }) {
      const postponed = source_facts && (await postpone(parts, claim, source_facts))
      const job = await store.release(claim)
      if (!job) return answerRepeated(parts, claim, 'released')
      await discard(job)
      parts.onEvent({ type: 'released', job, detail: postponed ?? 'its worker gave it back' })
      dispatcher.wake()
      return { status: job.status }
    },
  }

  function noteObstacle({ worker_id, obstacle }: Heartbeat): void {
    if (obstacle === undefined) parts.obstacles.delete(worker_id)
    else parts.obstacles.set(worker_id, obstacle)
  }

  function assignment(job: Job): Assignment {
    const settings = settingsOf(parts, job, profileOf(parts, job))
    // What a person asked for is not to be changed by what a worker finds.
    const isAsked = !hasOwnPriority(parts, job)
    const profiles = profilesFor(parts, job).map((one) => (isAsked ? { ...one, priority: null } : one))
    const staging_path = stagingPath(parts.output_base, job)
    return { ...job, settings, profiles, staging_path, lease_ms: worker_timeout_ms }
  }

  /** Prolongs the leases of these claims; those that are the worker's still. */
  async function renewClaims(worker_id: string, claims: readonly Claim[]): Promise<Claim[]> {
    const renewed: Claim[] = []
    for (const claim of claims) {
      if (await store.renew({ ...claim, worker_id }, worker_timeout_ms)) renewed.push(claim)
    }
    return renewed
  }

  /** Gives back what is in a worker's name, but for claims whose ends it has yet to tell; how many jobs. */
  async function releaseAll(worker_id: string, detail: string, kept: readonly Claim[] = []): Promise<number> {
    const released = kept.length === 0 ? await store.releaseWorker(worker_id) : await releaseOthers(worker_id, kept)
    for (const job of released) {
      await discard(job)
      parts.onEvent({ type: 'released', job, detail })
    }
    if (released.length > 0) dispatcher.wake()
    return released.length
  }

  async function releaseOthers(worker_id: string, kept: readonly Claim[]): Promise<Job[]> {
    const { jobs } = await store.jobs({ status: 'processing', worker_id, limit: 10_000 })
    const others = jobs.filter(({ id, attempt }) => !kept.some((c) => c.job_id === id && c.attempt === attempt))
    const released: Job[] = []
    for (const job of others) {
      if (await store.release({ job_id: job.id, worker_id, attempt: job.attempt })) released.push(job)
    }
    return released
  }

  async function discard(job: Job): Promise<void> {
    parts.progress.delete(job.id)
    await discardStaged(stagingPath(parts.output_base, job))
  }

  /** The newest process of a worker counts; an older one that is still there is told so and stops. */
  async function refuseReplaced(worker_id: string, boot_id: string): Promise<void> {
    const known = await store.worker(worker_id)
    if (known && known.boot_id !== null && known.boot_id !== boot_id) {
      throw new DarkstreamError(
        'worker_replaced',
        `another process registered as worker ${worker_id}: give each worker its own worker.id`,
      )
    }
  }
}

/** Where host names change at each start, as in containers, a worker that was killed waits until the known one is offline. */
function runsElsewhere(worker_id: string, hostname: string): DarkstreamError {
  return new DarkstreamError('conflict', `a worker ${worker_id} runs on ${hostname}: give this one another worker.id`)
}
