import type { FailureReport } from '../../contract/failure.ts'
import type { Attempt, Job } from '../../contract/job.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

/** Keeps how the claim that the job is in ended, with what the job says that it ran on. */
export function recordAttempt(
  db: Connection,
  job: Job,
  outcome: Attempt['outcome'],
  error_message: string | null = null,
  report?: FailureReport,
): void {
  db.change(statements.recordAttempt, {
    job_id: job.id,
    attempt: job.attempt,
    worker_id: job.worker_id,
    started_at: job.started_at,
    ended_at: db.now(),
    outcome,
    error_message,
    error_class: report?.class ?? null,
    step: report?.step ?? null,
    command: JSON.stringify(report?.command ?? []),
    stderr_tail: report?.stderr_tail ?? '',
    exit_code: report?.exit_code ?? null,
    ran_on: job.ran_on && JSON.stringify(job.ran_on),
  })
}
