import { Replacement } from '../../contract/replacement.ts'

const columns = [...Object.keys(Replacement.entries), 'staged_path'].join(', ')
const newest = `attempt = (SELECT max(attempt) FROM replacements newer WHERE newer.job_id = $job_id)`

/** While a job's result stands in its source's place: what lies there is no source to convert again. */
export const standsInPlace = `EXISTS (SELECT 1 FROM replacements WHERE replacements.job_id = jobs.id
  AND replacements.attempt = jobs.attempt AND replacements.state IN ('swapping', 'kept', 'undoing', 'gone'))`

/** The statements of replacements; `statements.ts` has those that concern the jobs as well. */
export const replacementStatements = {
  /** Of a claim in publication only: then it is nobody's but the master's. */
  beginReplacement: `INSERT OR IGNORE INTO replacements (job_id, attempt, state, original_path, original_size,
      original_mtime_ms, kept_path, staged_path, result_path, result_size, result_mtime_ms, keep_ms)
    SELECT $job_id, $attempt, 'swapping', $original_path, $original_size,
      $original_mtime_ms, $kept_path, $staged_path, $result_path, $result_size, $result_mtime_ms, $keep_ms
    WHERE EXISTS (SELECT 1 FROM jobs WHERE id = $job_id AND attempt = $attempt AND status = 'processing'
      AND worker_id IS $worker_id AND publish_size IS NOT NULL)`,

  replacement: `SELECT ${columns} FROM replacements WHERE job_id = $job_id ORDER BY attempt DESC LIMIT 1`,

  undoing: `SELECT ${columns} FROM replacements INDEXED BY replacements_undoing WHERE state = 'undoing'`,

  endReplacement: `UPDATE replacements SET state = 'kept', replaced_at_ms = $now_ms,
      kept_until_ms = iif(keep_ms = 0, NULL, $now_ms + keep_ms)
    WHERE job_id = $job_id AND attempt = $attempt AND state = 'swapping'`,

  forgetReplacement: `DELETE FROM replacements WHERE job_id = $job_id AND attempt = $attempt AND state = 'swapping'`,

  /** Not once the source has changed: what lies there then is somebody's newer film. */
  beginUndo: `UPDATE replacements SET state = 'undoing' WHERE job_id = $job_id AND ${newest} AND state = 'kept'
      AND EXISTS (SELECT 1 FROM jobs WHERE id = $job_id AND status = 'completed' AND jobs.attempt = replacements.attempt)
    RETURNING ${columns}`,

  abandonUndo: `UPDATE replacements SET state = 'kept' WHERE job_id = $job_id AND attempt = $attempt AND state = 'undoing'`,

  endUndo: `UPDATE replacements SET state = 'undone' WHERE job_id = $job_id AND attempt = $attempt AND state = 'undoing'`,

  dueOriginals: `SELECT ${columns} FROM replacements INDEXED BY replacements_due
    WHERE state = 'kept' AND kept_until_ms IS NOT NULL AND kept_until_ms <= $now_ms AND replaced_at_ms <= $replaced_before_ms
    ORDER BY kept_until_ms LIMIT $limit`,

  forgetOriginal: `UPDATE replacements SET state = 'gone' WHERE job_id = $job_id AND attempt = $attempt AND state = 'kept'`,

  keptOriginals: `SELECT bytes FROM kept_originals`,

  isOwnResult: `SELECT 1 AS known FROM replacements WHERE result_size = $source_size AND result_mtime_ms = $source_mtime_ms
    LIMIT 1`,
}
