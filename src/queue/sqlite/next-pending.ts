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
const inOrder = 'ORDER BY priority DESC, created_at, not_before_ms LIMIT'
const mayHave = 'NOT EXISTS (SELECT 1 FROM json_each(refusers) WHERE value = $worker_id)'

/**
 * The row of the first pending job that a worker may have: of the first that anybody may have, and of the first of each
 * list of refusers that the worker is not on, the one whose turn it is. No more than these are looked at and sorted.
 */
export const nextPending = `SELECT number FROM (
    SELECT * FROM (SELECT rowid AS number, priority, created_at, not_before_ms FROM jobs INDEXED BY jobs_pending
      WHERE ${isDue} AND refused_by IS NULL ${inOrder} 1)
    UNION ALL
    SELECT rowid, priority, created_at, not_before_ms FROM jobs WHERE rowid IN (
      ${refuserLists}
      SELECT (SELECT rowid FROM jobs INDEXED BY jobs_refused WHERE ${isDue} AND refused_by = refusers ${inOrder} 1)
        FROM lists WHERE ${mayHave})
  ) ORDER BY priority DESC, created_at, not_before_ms, number LIMIT 1`

/**
 * Jobs of one class of sizes, or of one list of refusers, that are looked at for one that fits: all that are pending may
 * have a size just above the limit. Only in the class of the limit itself, and among refused jobs, are there any that do
 * not fit; what stands behind more of them is found when they are gone, or with more room.
 */
const looks = 200

/** The first of a few pending jobs whose source is not larger than the limit; one of unknown size fits. */
const firstFitting = (where: string) => `(SELECT number FROM (
    SELECT rowid AS number, source_size FROM jobs ${where} ${inOrder} ${looks})
  WHERE ifnull(source_size, 0) <= $max_source_bytes LIMIT 1)`

const ofAnybody = `status = 'pending' AND refused_by IS NULL`

/**
 * As `nextPending`, of those whose sources have at most `$max_source_bytes`. Each class of sizes that there is below is
 * found by a jump in the index of sizes, which holds the jobs of each in their order.
 */
export const nextFitting = `SELECT number FROM (
    SELECT rowid AS number, priority, created_at, not_before_ms FROM jobs WHERE rowid IN (
      WITH RECURSIVE classes (class) AS (
        SELECT min(size_class) FROM jobs INDEXED BY jobs_sizes WHERE ${ofAnybody}
        UNION ALL
        SELECT (SELECT min(size_class) FROM jobs INDEXED BY jobs_sizes WHERE ${ofAnybody} AND size_class > class)
          FROM classes WHERE class < ${sizeClass('$max_source_bytes')})
      SELECT ${firstFitting(`INDEXED BY jobs_sizes WHERE ${isDue} AND refused_by IS NULL AND size_class = class`)}
        FROM classes)
    UNION ALL
    SELECT rowid, priority, created_at, not_before_ms FROM jobs WHERE rowid IN (
      ${refuserLists}
      SELECT ${firstFitting(`INDEXED BY jobs_refused WHERE ${isDue} AND refused_by = refusers`)}
        FROM lists WHERE ${mayHave})
  ) ORDER BY priority DESC, created_at, not_before_ms, number LIMIT 1`

/** As the column `size_class` is made. */
function sizeClass(bytes: string): string {
  const digits = `printf('%o', ${bytes})`
  return `length(${digits}) * 100 + substr(${digits}, 1, 2)`
}
