import { DarkstreamError } from '../contract/error.ts'
import type { Job } from '../contract/job.ts'
import { setImmediate } from 'node:timers/promises'
import type { Handlers } from '../contract/api.ts'
import type { Replacement } from '../contract/replacement.ts'
import type { Reply } from '../contract/routes.ts'
import type { WorkerView } from '../contract/worker.ts'
import type { StoredReplacement } from '../queue/replacements.ts'
import { type JobEvent } from './events.ts'
import { type Parts, viewOf } from './parts.ts'
import { discardStaged, stagingPath } from './publish.ts'
import { undoing } from './replace/undo.ts'
import { requeueChanged } from './requeue-changed.ts'
import { statsReport } from './stats.ts'
import { viewWorkers } from './worker-views.ts'

type AdminCalls =
  | 'status'
  | 'stats'
  | 'jobs'
  | 'job'
  | 'workers'
  | 'resumeWorker'
  | 'retry'
  | 'retryJob'
  | 'requeueJob'
  | 'undoJob'
  | 'requeueChanged'
  | 'cancelJob'
  | 'prioritizeJob'

/** Jobs retried in one transaction. */
const retryStep = 200

/** What people ask of the master. */
export function adminCalls(parts: Parts): Pick<Handlers, AdminCalls> {
  const { store, dispatcher } = parts
  const undo = undoing(parts)
  return {
    async status() {
      return (await store.totals()).by_status
    },

    async stats() {
      return statsReport(parts)
    },

    async jobs(filter) {
      const page = await store.jobs(filter)
      return { jobs: page.jobs.map((job) => viewOf(parts, job)), count: page.jobs.length, next: page.next }
    },

    async job({ job_id }) {
      const job = await store.job(job_id)
      if (!job) throw noSuchJob(job_id)
      const known = await store.replacement(job_id)
      const replacement = known ? toldOf(known) : null
      return { job: viewOf(parts, job), attempts: await store.attempts(job_id), replacement }
    },

    async workers({ active_only }) {
      const all = await viewWorkers(parts)
      const workers = active_only ? all.filter((worker) => worker.active) : all
      return { workers, count: workers.length, stats: averages(workers) }
    },

    async resumeWorker({ worker_id }) {
      const wasAside = await store.resume(worker_id)
      if (!wasAside && !(await store.worker(worker_id))) {
        throw new DarkstreamError('not_found', `there is no worker ${worker_id}`)
      }
      if (wasAside) parts.log.info(`worker ${worker_id} is given jobs again, by request`)
      dispatcher.wake()
      return { status: 'ok', message: `worker ${worker_id} ${wasAside ? 'is given jobs again' : 'is not set aside'}` }
    },

    async retry({ limit }) {
      const retried = await retryFailed(limit)
      if (retried > 0) dispatcher.wake()
      return { retried, message: `${retried} failed ${retried === 1 ? 'job is' : 'jobs are'} pending again` }
    },

    async retryJob({ job_id }) {
      return acted('queued', 'retried', job_id, await store.retry(job_id))
    },

    async requeueJob({ job_id }) {
      const job = await store.requeue(job_id)
      const standing = job ? undefined : await whyNotRequeued(job_id)
      if (standing !== undefined) throw new DarkstreamError('conflict', standing)
      return acted('queued', 'requeued', job_id, job)
    },

    async undoJob({ job_id }) {
      return undo(job_id)
    },

    async requeueChanged(input) {
      const report = await requeueChanged(parts, input)
      if (!input.dry_run && report.requeued > 0) {
        parts.log.info(`${report.requeued} jobs are queued again, by request: their settings have changed`)
      }
      return report
    },

    async cancelJob({ job_id }) {
      const done = await acted('cancelled', 'cancelled', job_id, await store.cancel(job_id))
      parts.progress.delete(job_id)
      return done
    },

    async prioritizeJob({ job_id, priority }) {
      const job = await store.prioritize(job_id, priority)
      if (!job) throw noSuchJob(job_id)
      return { status: job.status, message: `priority of job ${job_id} is ${priority}` }
    },
  }

  /** A result that stands in its source's place is not converted again unawares: that loses quality twice. */
  async function whyNotRequeued(job_id: string): Promise<string | undefined> {
    const [job, known] = [await store.job(job_id), await store.replacement(job_id)]
    if (job?.status !== 'completed' || !known || known.attempt !== job.attempt) return undefined
    const stands = `job ${job_id} cannot be requeued: its result stands in its source's place`
    if (known.state !== 'gone') return `${stands}; darkstream undo ${job_id} puts the original back first`
    return `${stands} and the original is gone; touch ${known.result_path} to have the result itself converted as a new source`
  }

  /** In steps that each hold up the API for a few milliseconds only. */
  async function retryFailed(limit: number): Promise<number> {
    let retried = 0
    while (retried < limit) {
      const step = await store.retryFailed(Math.min(limit - retried, retryStep))
      retried += step
      if (step < retryStep) break
      await setImmediate()
    }
    return retried
  }

  /** Tells what an act on one job did, or why it was refused. */
  async function acted(
    type: JobEvent['type'],
    verb: string,
    job_id: string,
    job: Job | undefined,
  ): Promise<Reply<'retryJob'>> {
    if (!job) {
      const current = await store.job(job_id)
      if (!current) throw noSuchJob(job_id)
      throw new DarkstreamError('conflict', `job ${job_id} is ${current.status} and cannot be ${verb}`)
    }
    await discardStaged(stagingPath(parts.output_base, job))
    parts.onEvent({ type, job, detail: `${verb} by request` })
    dispatcher.wake()
    return { status: job.status, message: `job ${job_id} is ${job.status}` }
  }
}

/** Where the result lay before it was moved is nobody's business. */
function toldOf({ staged_path: _, ...replacement }: StoredReplacement): Replacement {
  return replacement
}

function noSuchJob(job_id: string): DarkstreamError {
  return new DarkstreamError('not_found', `there is no job ${job_id}`)
}

function averages(workers: readonly WorkerView[]): Reply<'workers'>['stats'] {
  const average = (of: (worker: WorkerView) => number) =>
    workers.length === 0 ? 0 : workers.reduce((sum, worker) => sum + of(worker), 0) / workers.length
  return {
    total_workers: workers.length,
    vulkan_workers: workers.filter((worker) => worker.vulkan_available).length,
    average_active_jobs: average((worker) => worker.active_jobs),
    average_cpu_usage: average((worker) => worker.cpu_usage),
    average_memory_usage: average((worker) => worker.memory_usage),
  }
}
