import { statesFor } from '../transitions.ts'
import { refuserLists } from './next-pending.ts'

/** A worker that was heard from, is not set aside and is not on a list. */
const mayTry = (list: string) => `SELECT 1 FROM workers WHERE last_heartbeat > $heard_since
  AND NOT EXISTS (SELECT 1 FROM json_each(${list}) WHERE value = workers.id)
  AND NOT EXISTS (SELECT 1 FROM standings WHERE worker_id = workers.id AND set_aside_until_ms > $now_ms)`

const strandable = statesFor('strand')
  .map((status) => `'${status}'`)
  .join(', ')

/** What becomes of jobs that a worker cannot do. */
export const refusalStatements = {
  failedBy: `SELECT coalesce(failed_by, '[]') AS failed_by FROM jobs WHERE id = $job_id`,

  whoMayTry: `${mayTry('$failed_by')} LIMIT 1`,

  /** In the transaction that failed it: the job stays failed, or is offered to those who have not failed it yet. */
  refuse: `UPDATE jobs SET status = iif($is_offered, 'pending', 'failed'), worker_id = iif($is_offered, NULL, worker_id),
      started_at = iif($is_offered, NULL, started_at), error_message = $error_message, retry_at_ms = $retry_at_ms,
      failed_by = $failed_by, refused_by = iif($is_offered, $failed_by, NULL),
      refused_at_ms = iif($is_offered, $now_ms, NULL)
    WHERE id = $job_id AND status = 'failed'`,

  /**
   * Offers that nobody took: those made before `$settled_before_ms` for which nobody is left, and those made before
   * `$overdue_before_ms` whoever is there. No other jobs are looked at.
   */
  stranded: `${refuserLists}
    SELECT id FROM lists CROSS JOIN jobs INDEXED BY jobs_offers ON refused_by = refusers
    WHERE status = 'pending' AND refused_by IS NOT NULL
      AND refused_at_ms <= iif(EXISTS (${mayTry('refusers')}), $overdue_before_ms, $settled_before_ms) LIMIT 100`,

  /** Only while it waits: a worker that took it meanwhile keeps it. From here on anybody may have it again. */
  strand: `UPDATE jobs SET status = 'failed', error_message = $error_message, error_class = 'worker',
      retry_at_ms = $retry_at_ms, refused_by = NULL, refused_at_ms = NULL
    WHERE id = $job_id AND status IN (${strandable}) AND refused_by IS NOT NULL RETURNING id`,
} as const
