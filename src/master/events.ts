import type { Job } from '../contract/job.ts'
import type { Log } from '../util/log.ts'

/** What happened to a job. `detail` is a sentence for people, where there is more to say than the job itself does. */
export interface JobEvent {
  type: 'claimed' | 'completed' | 'failed' | 'released' | 'lost' | 'cancelled' | 'queued'
  job: Job
  detail?: string
}

export type OnJobEvent = (event: JobEvent) => void

/** Tells a log of every event, with the job's id and attempt on each line. */
export function logJobEvents(log: Log): OnJobEvent {
  return ({ type, job, detail }) => {
    const fields = {
      job_id: job.id,
      attempt: job.attempt,
      source_path: job.source_path,
      worker_id: job.worker_id,
      detail,
    }
    if (type === 'failed') log.warn(`job failed: ${job.error_message}`, fields)
    else if (type === 'lost') log.warn('job lost with its worker', fields)
    else log.info(`job ${type}`, fields)
  }
}
