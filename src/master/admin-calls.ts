import type { Handlers } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Replacement } from '../contract/replacement.ts'
import type { Reply } from '../contract/routes.ts'
import type { WorkerView } from '../contract/worker.ts'
import type { StoredReplacement } from '../queue/replacements.ts'
import { noSuchJob } from './job-calls.ts'
import { type Parts, viewOf } from './parts.ts'
import { requeueChanged } from './requeue-changed.ts'
import { statsReport } from './stats.ts'
import { viewWorkers } from './worker-views.ts'

type AdminCalls = 'status' | 'stats' | 'jobs' | 'job' | 'workers' | 'resumeWorker' | 'requeueChanged'

/** What people ask of the master, but for what they do to single jobs. */
export function adminCalls(parts: Parts): Pick<Handlers, AdminCalls> {
  const { store, dispatcher } = parts
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

    async requeueChanged(input) {
      const report = await requeueChanged(parts, input)
      if (!input.dry_run && report.requeued > 0) {
        parts.log.info(`${report.requeued} jobs are queued again, by request: their settings have changed`)
      }
      return report
    },
  }
}

/** Where the result lay before it was moved is nobody's business. */
function toldOf({ staged_path: _, ...replacement }: StoredReplacement): Replacement {
  return replacement
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
