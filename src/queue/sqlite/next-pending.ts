/**
 * Each list of workers that may not have some pending job, once. There are few, so that they are found by a jump in their
 * index each, however many jobs there are.
 */
export const refuserLists = `WITH RECURSIVE lists (refusers) AS (
    SELECT min(refused_by) FROM jobs INDEXED BY jobs_refused WHERE status = 'pending' AND refused_by IS NOT NULL
    UNION ALL
    SELECT (SELECT min(refused_by) FROM jobs INDEXED BY jobs_refused WHERE status = 'pending' AND refused_by > refusers)
      FROM lists WHERE refusers IS NOT NULL)`

const isDue = `status = 'pending' AND not_before_ms <= $now_ms`
const inOrder = 'ORDER BY priority DESC, created_at, not_before_ms LIMIT 1'

/**
 * The row of the first pending job that a worker may have: of the first that anybody may have, and of the first of each
 * list of refusers that the worker is not on, the one whose turn it is. No more than these are looked at and sorted.
 */
export const nextPending = `SELECT number FROM (
    SELECT * FROM (SELECT rowid AS number, priority, created_at, not_before_ms FROM jobs INDEXED BY jobs_pending
      WHERE ${isDue} AND refused_by IS NULL ${inOrder})
    UNION ALL
    SELECT rowid, priority, created_at, not_before_ms FROM jobs WHERE rowid IN (
      ${refuserLists}
      SELECT (SELECT rowid FROM jobs INDEXED BY jobs_refused WHERE ${isDue} AND refused_by = refusers ${inOrder})
        FROM lists WHERE NOT EXISTS (SELECT 1 FROM json_each(refusers) WHERE value = $worker_id))
  ) ORDER BY priority DESC, created_at, not_before_ms, number LIMIT 1`
