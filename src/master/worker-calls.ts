import { extname } from 'node:path'
import type { Handlers } from '../contract/api.ts'
import { containers } from '../contract/conversion.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Assignment, Job } from '../contract/job.ts'
import { finishClaim } from './finish.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { discardStaged, stagingPath } from './publish.ts'
import { retryAt } from './retry-policy.ts'

type WorkerCalls =
  | 'nextJob'
  | 'claim'
  | 'register'
  | 'heartbeat'
  | 'reportProgress'
  | 'complete'
  | 'fail'
  | 'release'
  | 'leave'

/** What workers ask of the master. Each call that changes a job is safe to send twice. */
export function workerCalls(parts: Parts): Pick<Handlers, WorkerCalls> {
  const { store, dispatcher, worker_timeout_ms } = parts
  const finish = finishClaim(parts)
  return {
    async nextJob({ worker_id, wait }, signal) {
      const job = await dispatcher.next({ worker_id, request_id: null }, wait * 1000, signal)
      return job ? assignment(job) : null
    },

    async claim({ worker_id, boot_id, request_id, wait }, signal) {
      await refuseReplaced(worker_id, boot_id)
      const job = await dispatcher.next({ worker_id, request_id }, wait * 1000, signal)
      return job ? assignment(job) : null
    },

    async register(worker) {
      const known = await store.worker(worker.worker_id)
      await store.heartbeat(worker)
      const isSameProcess = known?.boot_id === worker.boot_id
      if (!isSameProcess) parts.log.info(`worker ${worker.worker_id} joined`, { hostname: worker.hostname })
      const released = isSameProcess ? 0 : await releaseAll(worker.worker_id, 'its worker was started anew')
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
      if (claims) for (const claim of claims) await store.renew({ ...claim, worker_id }, worker_timeout_ms)
      // A foreign worker that says it has no job has lost the answer that gave it one.
      else if (heartbeat.active_jobs !== 0) await store.renewWorker(worker_id, worker_timeout_ms)
      return { status: 'ok' }
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

    async fail({ job_id, worker_id, attempt, error_message, report, ran_on }) {
      const before = await store.job(job_id)
      if (before && isRepeated(before, attempt)) return { status: before.status }
      const failureClass = report?.class ?? 'retryable'
      const retry_at_ms = before ? retryAt(before, failureClass, parts.retry, parts.clock()) : null
      const job = await store.fail({ job_id, worker_id, attempt }, { error_message, report, retry_at_ms, ran_on })
      if (!job) throw notOwner(before, job_id, worker_id)
      await discard(job)
      parts.onEvent({ type: 'failed', job })
      return { status: job.status }
    },

    async release({ job_id, worker_id, attempt }) {
      const before = await store.job(job_id)
      if (before && isRepeated(before, attempt)) return { status: before.status }
      const job = await store.release({ job_id, worker_id, attempt })
      if (!job) throw notOwner(before, job_id, worker_id)
      await discard(job)
      parts.onEvent({ type: 'released', job, detail: 'its worker gave it back' })
      dispatcher.wake()
      return { status: job.status }
    },
  }

  function assignment(job: Job): Assignment {
    // A job that was added under another setting keeps the container that its output is named for.
    const named = containers.find((container) => extname(job.output_path) === `.${container}`)
    const settings = { ...parts.settings, container: named ?? parts.settings.container }
    return { ...job, settings, staging_path: stagingPath(parts.output_base, job), lease_ms: worker_timeout_ms }
  }

  /** Gives back whatever is in a worker's name; how many jobs. */
  async function releaseAll(worker_id: string, detail: string): Promise<number> {
    const released = await store.releaseWorker(worker_id)
    for (const job of released) {
      await discard(job)
      parts.onEvent({ type: 'released', job, detail })
    }
    if (released.length > 0) dispatcher.wake()
    return released.length
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

/** Whether an attempt's end was already told: its answer may have been lost on the way. */
function isRepeated(job: Job, attempt: number | undefined): boolean {
  return attempt !== undefined && job.attempt === attempt && (job.status === 'failed' || job.status === 'pending')
}
