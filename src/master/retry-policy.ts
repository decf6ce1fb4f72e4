import type { FailureClass } from '../contract/failure.ts'
import type { Job } from '../contract/job.ts'
import { jittered } from '../util/clock.ts'

export interface RetryPolicy {
  /** Milliseconds before the first retry; doubled before each further one. */
  retry_delay_ms: number
  /** Milliseconds that no pause exceeds, jitter aside. */
  max_retry_delay_ms: number
}

/**
 * When a job that fails now goes back to pending by itself, milliseconds UTC; null when it does not: its retries are
 * used up, or the failure is one that the same source will meet again.
 */
export function retryAt(
  job: Pick<Job, 'retry_count' | 'max_retries'>,
  failureClass: FailureClass,
  policy: RetryPolicy,
  now_ms: number,
  random: () => number = Math.random,
): number | null {
  if (failureClass === 'permanent' || job.retry_count >= job.max_retries) return null
  const delay = Math.min(policy.retry_delay_ms * 2 ** job.retry_count, policy.max_retry_delay_ms)
  return now_ms + jittered(delay, random)
}
