import type { Job } from '../../contract/job.ts'
import { timestamp } from '../../util/clock.ts'
import { nobodyThere, triedByAll, workersToFail } from '../refusal.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import type { FailedClaim } from './standings.ts'
import { statements } from './statements.ts'

/** What becomes of jobs that were offered to other workers in vain. */
export function refusals(db: Connection): Pick<Store, 'stranded' | 'strand'> {
  return {
    async stranded({ heard_since_ms, settled_before_ms, overdue_before_ms }) {
      const since = { heard_since: timestamp(heard_since_ms), settled_before_ms, overdue_before_ms, now_ms: db.clock() }
      return db.rows<{ id: string }>(statements.stranded, since).map(({ id }) => id)
    },

    async strand(job_id, failure) {
      return db.atomically(() => {
        const row = db.row(statements.strand, { job_id, ...failure })
        return row === undefined ? undefined : db.job(statements.job, { job_id })
      })
    },
  }
}

/**
 * Decides about a job that its worker cannot do: after three of them it is failed for good; while another one is there it
 * is offered to those who have not failed it; else it stays failed, to be tried again by anybody. To be called in the
 * transaction that fails it; the job as it is then.
 */
export function refuse(db: Connection, { job, worker_id, error_message, heard_since }: FailedClaim): Job {
  const known = db.row<{ failed_by: string }>(statements.failedBy, { job_id: job.id })
  const workers = [...new Set([...(JSON.parse(known?.failed_by ?? '[]') as string[]), worker_id])].toSorted()
  const failed_by = JSON.stringify(workers)
  const isFinal = workers.length >= workersToFail
  const isOffered =
    !isFinal && db.row(statements.whoMayTry, { failed_by, heard_since, now_ms: db.clock() }) !== undefined
  db.change(statements.refuse, {
    job_id: job.id,
    is_offered: isOffered,
    error_message: isFinal
      ? triedByAll(workers, error_message)
      : isOffered
        ? error_message
        : nobodyThere(error_message),
    retry_at_ms: isFinal || isOffered ? null : job.retry_at_ms,
    failed_by,
    now_ms: db.clock(),
  })
  return db.job(statements.job, { job_id: job.id }) ?? job
}
