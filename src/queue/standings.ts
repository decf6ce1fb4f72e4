import type { Job } from '../contract/job.ts'

/** A worker that is given no jobs for a while, because it failed at everything. */
export interface SetAside {
  worker_id: string
  /** In a row, each of another job. */
  failures: number
  /** The newest one's, a sentence. */
  reason: string
  /** Milliseconds UTC; from then on it is given jobs again. */
  until_ms: number
}

/**
 * Who may try which job: the part of the store that keeps one worker from eating the queue.
 *
 * A failure of class `worker` is a refusal. The third distinct worker's is for good. Else the job is pending at once for the
 * workers that have not refused it, if such a one is there and not set aside; if none is, the job waits as after any
 * failure and is anybody's then, so that with a single worker it ends when its retries are used up. Refusals are forgotten
 * when the job is retried by hand, requeued, changed or completed.
 *
 * Five failures in a row set a worker aside: for a minute, doubled at each further time, an hour at most; always for a
 * minute while no other worker is there. Counted is a worker's first failure of each job, of class `worker` or `retryable`
 * (a foreign worker's is), not of a publication. One for want of room counts: the master cannot tell it from one for want
 * of rights, with which a worker does fail at everything. A failure of a job that failed on another worker too is the job's
 * and speaks against neither of them, unless one has failed five others in a row: where all fail at everything, one after
 * the other is set aside. Once the worker is back, the first such failure of a claim made since sets it aside again; a
 * success clears all, and so does a skip that came to an encode: one that did not shows nothing of its worker.
 */
export interface Standings {
  /**
   * Ids of some jobs that were refused and wait for another worker: those refused before `settled_before_ms` for which none
   * is there, and those refused before `overdue_before_ms`. Milliseconds UTC, as all such.
   */
  stranded(since: { heard_since_ms: number; settled_before_ms: number; overdue_before_ms: number }): Promise<string[]>
  /** Ends that wait as a failure; at `retry_at_ms` the job is anybody's. */
  strand(job_id: string, failure: { error_message: string; retry_at_ms: number | null }): Promise<Job | undefined>
  /** The workers that are set aside now, by id. */
  setAside(): Promise<SetAside[]>
  /** Forgets a worker's failures; whether it was set aside. */
  resume(worker_id: string): Promise<boolean>
}
