import { DarkstreamError } from '../contract/error.ts'
import type { Job } from '../contract/job.ts'
import type { ClaimKey } from '../queue/store.ts'

/** Whether a claim is the job's newest and still runs. */
export function isOwner(job: Job | undefined, key: ClaimKey): job is Job {
  return (
    job?.status === 'processing' &&
    job.worker_id === key.worker_id &&
    (key.attempt === undefined || job.attempt === key.attempt)
  )
}

/** Why a claim counts for nothing. */
export function notOwner(job: Job | undefined, job_id: string, worker_id: string): DarkstreamError {
  const why = !job
    ? 'there is no such job'
    : job.status === 'processing'
      ? `worker ${job.worker_id} holds it (attempt ${job.attempt})`
      : `it is ${job.status}`
  return new DarkstreamError('conflict', `job ${job_id} is not worker ${worker_id}'s: ${why}`)
}
