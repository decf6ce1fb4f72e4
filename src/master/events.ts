import { pathText } from '../contract/gpu.ts'
import type { Job } from '../contract/job.ts'
import type { Log } from '../util/log.ts'

/** What happened to a job. `detail` is a sentence for people, where there is more to say than the job itself does. */
export interface JobEvent {
  type: 'claimed' | 'completed' | 'skipped' | 'failed' | 'released' | 'lost' | 'cancelled' | 'queued'
  job: Job
  detail?: string
}

export type OnJobEvent = (event: JobEvent) => void

/**
 * Tells a log of every event, with the job's id and attempt on each line, and with what one that came to an end ran on.
 * That a GPU failed at it is a line of its own: the job may be fine, the GPU is not.
 */
export function logJobEvents(log: Log): OnJobEvent {
  return ({ type, job, detail }) => {
    const ranOn = type === 'completed' || type === 'skipped' || type === 'failed' ? job.ran_on : null
    const fields = {
      job_id: job.id,
      attempt: job.attempt,
      source_path: job.source_path,
      worker_id: job.worker_id,
      ...(ranOn === null ? {} : { ran_on: pathText(ranOn) }),
      detail,
    }
    if (ranOn?.fell_back === true) {
      log.warn(
        `job fell back from a GPU to ${pathText(ranOn)}: ${ranOn.reasons.join('; ') || 'no reason given'}`,
        fields,
      )
    }
    if (type === 'failed') log.warn(`job failed: ${job.error_message}`, fields)
    else if (type === 'skipped') log.info(`job skipped: ${job.skip_reason}`, fields)
    else if (type === 'lost') log.warn('job lost with its worker', fields)
    else log.info(`job ${type}`, fields)
  }
}
