import { workersToFail } from '../../../src/queue/refusal.ts'
import { fitFor, type Model, type ModelJob, sendBack } from './model.ts'

/** A failed job that its worker cannot do: for good by the third such, offered to another that is there, or waiting. */
export function refuse(model: Model, job: ModelJob, worker_id: string, heard_since_ms: number): void {
  job.failed_by = [...new Set([...job.failed_by, worker_id])].toSorted()
  const isFinal = job.failed_by.length >= workersToFail
  const isOffered = !isFinal && isAnybodyLeft(model, job.failed_by, heard_since_ms)
  job.refused_by = isOffered ? job.failed_by : []
  if (isFinal || isOffered) job.retry_at_ms = null
  if (isOffered) sendBack(model, job)
}

/** The refused jobs that wait in vain: nobody is left to try them, or they have waited for too long. */
export function stranded(
  model: Model,
  since: { heard_since_ms: number; settled_before_ms: number; overdue_before_ms: number },
): ModelJob[] {
  return model.jobs.filter(
    (job) =>
      job.status === 'pending' &&
      job.refused_by.length > 0 &&
      (job.refused_at_ms <= since.overdue_before_ms ||
        (job.refused_at_ms <= since.settled_before_ms && !isAnybodyLeft(model, job.refused_by, since.heard_since_ms))),
  )
}

/** Ends that wait; the job is anybody's again. */
export function strand(model: Model, id: string, retry_at_ms: number | null): ModelJob | undefined {
  const job = fitFor(model, 'strand', id)
  if (!job || job.refused_by.length === 0) return undefined
  return Object.assign(job, { status: 'failed', error_class: 'worker', retry_at_ms, refused_by: [] })
}

function isAnybodyLeft(model: Model, refusers: readonly string[], heard_since_ms: number): boolean {
  return [...model.heard].some(([worker, heard]) => heard > heard_since_ms && !refusers.includes(worker))
}
