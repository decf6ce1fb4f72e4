/** What decides whether a worker is given jobs at all. */
export const standingStatements = {
  /** Whether the worker's failure of the job is nothing new. */
  failedBefore: `SELECT 1 FROM attempts
    WHERE job_id = $job_id AND worker_id = $worker_id AND outcome = 'failed' AND attempt < $attempt LIMIT 1`,

  /** Whether the job also failed on a worker that does not fail at everything. */
  failedElsewhere: `SELECT 1 FROM attempts
    WHERE job_id = $job_id AND worker_id <> $worker_id AND outcome = 'failed' AND step IS NOT 'publish'
      AND (SELECT coalesce(sum(counts), 0) FROM worker_failures WHERE worker_id = attempts.worker_id) < $enough LIMIT 1`,

  addFailure: `INSERT OR REPLACE INTO worker_failures (worker_id, job_id, counts) VALUES ($worker_id, $job_id, $counts)`,

  keepNewestFailures: `DELETE FROM worker_failures WHERE worker_id = $worker_id AND number NOT IN
    (SELECT number FROM worker_failures WHERE worker_id = $worker_id ORDER BY number DESC LIMIT $enough)`,

  failuresInRow: `SELECT count(*) AS kept, coalesce(sum(counts), 0) AS counting FROM worker_failures
    WHERE worker_id = $worker_id`,

  /** The job is the cause: its failures speak against nobody else any more. */
  blameJob: `UPDATE worker_failures SET counts = 0 WHERE job_id = $job_id AND worker_id <> $worker_id AND counts = 1
    RETURNING worker_id`,

  /** For a failure that does not count any more; a worker that was set aside works again, as if it had not been. */
  absolve: `UPDATE standings SET failures = max(failures - 1, 0),
      times = iif(set_aside_until_ms > $now_ms, times - 1, times),
      set_aside_until_ms = iif(set_aside_until_ms > $now_ms, NULL, set_aside_until_ms)
    WHERE worker_id = $worker_id`,

  countFailure: `INSERT INTO standings (worker_id, failures, reason) VALUES ($worker_id, 1, $reason)
    ON CONFLICT (worker_id) DO UPDATE SET failures = failures + 1, reason = excluded.reason
    RETURNING times, set_aside_until_ms`,

  /** Whether set aside or not: somebody else to leave the work to. */
  whoElseIsThere: `SELECT 1 FROM workers WHERE last_heartbeat > $heard_since AND id <> $worker_id LIMIT 1`,

  setAside: `UPDATE standings SET times = times + 1, set_aside_until_ms = $until_ms WHERE worker_id = $worker_id`,

  forgetStanding: `DELETE FROM standings WHERE worker_id = $worker_id RETURNING set_aside_until_ms`,

  forgetFailures: `DELETE FROM worker_failures WHERE worker_id = $worker_id`,

  standingAside: `SELECT worker_id, failures, reason, set_aside_until_ms AS until_ms FROM standings
    WHERE set_aside_until_ms > $now_ms ORDER BY worker_id`,
} as const
