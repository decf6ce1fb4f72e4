import { Attempt, Job, type JobStatus } from '../../contract/job.ts'
import { statesFor, type Act } from '../transitions.ts'
import { nextFitting, nextPending } from './next-pending.ts'
import { refusalStatements } from './refusal-statements.ts'
import { replacementStatements, standsInPlace } from './replacement-statements.ts'
import { standingStatements } from './standing-statements.ts'
import { workerStatements } from './worker-statements.ts'

/** The columns that a job has on the wire, by their names there. */
export const jobColumns = Object.keys(Job.entries).join(', ')
const attemptColumns = Object.keys(Attempt.entries).join(', ')

/**
 * Whose claim: its job, its worker and its attempt, which only those may leave out who claimed without a request id. What
 * matches nothing changes nothing.
 */
const owned = `id = $job_id AND worker_id IS $worker_id AND status = 'processing'
  AND (attempt = $attempt OR ($attempt IS NULL AND claim_request_id IS NULL))`

/** What a job has only while it is being processed. */
const unclaim = 'lease_expires_ms = NULL, claim_request_id = NULL, publish_size = NULL'

/** For whichever worker comes first. */
const unrefused = 'failed_by = NULL, refused_by = NULL, refused_at_ms = NULL'

/** A job that comes back while some worker may not have it waits for another from then on. */
const offeredNow = 'refused_at_ms = iif(refused_by IS NULL, NULL, $now_ms)'

/** What is known of a conversion that came to an end: taken away before the next one begins. */
const untold = 'ran_on = NULL, skip_reason = NULL, profile = NULL, score = NULL, converted_with = NULL'

/** Notes what a worker told; what it did not tell stays as it is known. */
const told = `notes = $notes, ran_on = $ran_on, profile = $profile, score = $score,
  source_facts = coalesce($source_facts, source_facts), converted_with = coalesce($settings, converted_with),
  source_duration = coalesce($source_duration, source_duration)`

/** Back to the queue as if it had never been tried. */
const afresh = `status = 'pending', worker_id = NULL, started_at = NULL, completed_at = NULL, error_message = NULL,
  error_class = NULL, retry_at_ms = NULL, retry_count = 0, lost_count = 0, not_before_ms = 0, ${untold}, ${unrefused}, ${unclaim}`

/** The claim of one job, for a worker that is not set aside. */
const takeFor = `UPDATE jobs SET status = 'processing', worker_id = $worker_id, attempt = attempt + 1, started_at = $now,
      completed_at = NULL, error_message = NULL, error_class = NULL, ran_on = NULL, not_before_ms = 0,
      lease_expires_ms = $lease_expires_ms, claim_request_id = $request_id
    WHERE NOT EXISTS (SELECT 1 FROM standings WHERE worker_id = $worker_id AND set_aside_until_ms > $now_ms)`

/** Every statement of the queue. One that changes a job returns it as it is then, or no row when it was not allowed. */
export const statements = {
  ...refusalStatements,
  ...replacementStatements,
  ...standingStatements,
  ...workerStatements,

  sourceByPath: `SELECT id, source_path, status, attempt, error_class, output_path, source_size, source_mtime_ms FROM jobs
    WHERE source_path = $source_path AND duplicate_of IS NULL`,

  /** Letter case does not tell two outputs apart: the storage may be shared to systems that see none. */
  isOutputTaken: `SELECT 1 AS taken FROM jobs
    WHERE output_path = $output_path COLLATE NOCASE AND id <> $id AND duplicate_of IS NULL LIMIT 1`,

  moveOutput: `UPDATE jobs SET output_path = $output_path, published_size = NULL, published_mtime_ms = NULL
    WHERE id = $job_id AND status <> 'processing'`,

  insertJob: `INSERT INTO jobs (id, source_path, output_path, status, error_message, error_class, skip_reason, profile,
      priority, max_retries, created_at, source_size, source_mtime_ms)
    VALUES ($id, $source_path, $output_path, $status, $error_message, $error_class, $skip_reason, $profile,
      $priority, $max_retries, $created_at, $source_size, $source_mtime_ms)`,

  /** A job that no scan of ours has seen (the original's): its source counts as unchanged. */
  adoptSource: `UPDATE jobs SET source_size = $source_size, source_mtime_ms = $source_mtime_ms, source_facts = NULL
    WHERE id = $job_id`,

  changeSource: `UPDATE jobs SET ${afresh}, source_size = $source_size, source_mtime_ms = $source_mtime_ms,
      source_duration = NULL, source_facts = NULL, output_size = NULL, notes = '[]'
    WHERE id = $job_id AND status IN ${list('change')}`,

  /** Of a source that changed into one that can never be converted. */
  rejectSource: `UPDATE jobs SET status = 'failed', error_message = $problem, error_class = 'permanent'
    WHERE id = $job_id AND status = 'pending'`,

  /** Of a source that a rule has skipped and that waits: it changed, or the rule is new. */
  skipSource: `UPDATE jobs SET status = 'skipped', skip_reason = $skip_reason, profile = $profile, error_message = NULL,
      error_class = NULL, lost_count = 0, ${unrefused}
    WHERE id = $job_id AND status = 'pending'`,

  forgetSource: `UPDATE jobs SET source_mtime_ms = -1 WHERE id = $job_id`,

  claimed: `SELECT ${jobColumns} FROM jobs INDEXED BY jobs_leases
    WHERE claim_request_id = $request_id AND worker_id = $worker_id AND status = 'processing'`,

  /**
   * Takes the first pending job that the worker may have, unless its source is larger than the limit, where there is one,
   * and numbers the claim, in one statement: no two workers can get the same, and one that is set aside gets none. What an
   * earlier attempt left on the job is taken away, so that a claim which ends without a word of its own leaves nothing.
   */
  claim: `${takeFor} AND rowid = (${nextPending})
      AND ($max_source_bytes IS NULL OR ifnull(source_size, 0) <= $max_source_bytes)
    RETURNING ${jobColumns}`,

  /** As `claim`, past those that are larger than the limit. */
  claimFitting: `${takeFor} AND rowid = (${nextFitting}) RETURNING ${jobColumns}`,

  /** A pause that was over before the other's claim tells no two apart. */
  nextFor: `SELECT ${jobColumns} FROM jobs WHERE rowid = (${nextPending}) AND ($before_id IS NULL
    OR (-priority, created_at, rowid) < (SELECT -priority, created_at, rowid FROM jobs WHERE id = $before_id))`,

  renew: `UPDATE jobs SET lease_expires_ms = $lease_expires_ms WHERE ${owned} RETURNING id`,

  renewWorker: `UPDATE jobs INDEXED BY jobs_leases SET lease_expires_ms = $lease_expires_ms WHERE worker_id = $worker_id AND status = 'processing'`,

  renewAll: `UPDATE jobs SET lease_expires_ms = $lease_expires_ms WHERE status = 'processing'`,

  /** A foreign worker writes to the output path itself: whatever will lie there is ours. */
  yieldOutput: `UPDATE jobs SET published_size = -1, published_mtime_ms = NULL WHERE ${owned} RETURNING id`,

  /** What the worker told is kept with it: a master that ends the publication after a crash has nobody to ask. */
  beginPublish: `UPDATE jobs SET publish_size = $output_size, ${told} WHERE ${owned} RETURNING ${jobColumns}`,

  abandonPublish: `UPDATE jobs SET publish_size = NULL, notes = '[]', ${untold} WHERE ${owned} RETURNING ${jobColumns}`,

  complete: `UPDATE jobs SET status = 'completed', completed_at = $now, output_size = $output_size,
      published_size = $published_size, published_mtime_ms = $published_mtime_ms,
      ${told}, error_message = NULL, error_class = NULL, retry_at_ms = NULL, lost_count = 0, ${unrefused}, ${unclaim}
    WHERE ${owned} RETURNING ${jobColumns}`,

  skip: `UPDATE jobs SET status = 'skipped', skip_reason = $reason, ${told}, error_message = NULL, error_class = NULL,
      retry_at_ms = NULL, lost_count = 0, ${unrefused}, ${unclaim}
    WHERE ${owned} AND publish_size IS NULL RETURNING ${jobColumns}`,

  /** Its original is back, of the size and time that the job knows it by. */
  undo: `UPDATE jobs SET ${afresh}, status = 'skipped', skip_reason = $reason, output_size = NULL,
      published_size = NULL, published_mtime_ms = NULL, notes = '[]'
    WHERE id = $job_id AND attempt = $attempt AND status IN ${list('undo')} RETURNING ${jobColumns}`,

  /** Before any worker has seen it. */
  placeOutput: `UPDATE jobs SET output_path = $output_path, published_size = NULL, published_mtime_ms = NULL
    WHERE ${owned} AND publish_size IS NULL RETURNING ${jobColumns}`,

  fail: `UPDATE jobs SET status = 'failed', error_message = $error_message, error_class = $error_class,
      ran_on = $ran_on, retry_at_ms = $retry_at_ms, lost_count = 0, ${unclaim}
    WHERE ${owned} AND publish_size IS NULL RETURNING ${jobColumns}`,

  learn: `UPDATE jobs SET source_facts = $source_facts, priority = coalesce($priority, priority)
    WHERE ${owned} AND publish_size IS NULL RETURNING ${jobColumns}`,

  release: `UPDATE jobs SET status = 'pending', worker_id = NULL, started_at = NULL, not_before_ms = $not_before_ms,
      ${offeredNow}, ${unclaim}
    WHERE ${owned} AND publish_size IS NULL RETURNING ${jobColumns}`,

  /** Without those in publication: they are the master's until they are completed or failed. */
  claimsOfWorker: `SELECT ${jobColumns} FROM jobs INDEXED BY jobs_leases
    WHERE worker_id = $worker_id AND status = 'processing' AND publish_size IS NULL`,

  /** A job in publication belongs to the master, which is awake by definition of this statement running. */
  expiredClaims: `SELECT ${jobColumns}, lost_count FROM jobs INDEXED BY jobs_leases
    WHERE status = 'processing' AND lease_expires_ms <= $now_ms AND publish_size IS NULL LIMIT 500`,

  lose: `UPDATE jobs SET status = 'pending', worker_id = NULL, started_at = NULL, lost_count = lost_count + 1,
      ${offeredNow}, ${unclaim}
    WHERE ${owned} RETURNING ${jobColumns}`,

  retryDue: `UPDATE jobs SET status = 'pending', worker_id = NULL, started_at = NULL, retry_at_ms = NULL,
      retry_count = retry_count + 1, ${offeredNow}
    WHERE rowid IN (SELECT rowid FROM jobs INDEXED BY jobs_retries
      WHERE status = 'failed' AND retry_at_ms IS NOT NULL AND retry_at_ms <= $now_ms LIMIT 500)
    RETURNING id`,

  retry: `UPDATE jobs SET ${afresh} WHERE id = $job_id AND duplicate_of IS NULL AND status IN ${list('retry')}
    RETURNING ${jobColumns}`,

  retryFailed: `UPDATE jobs SET ${afresh}
    WHERE rowid IN (SELECT rowid FROM jobs INDEXED BY idx_jobs_status
      WHERE status = 'failed' AND duplicate_of IS NULL ORDER BY created_at LIMIT $limit)
    RETURNING id`,

  /** Not of a completed job whose result stands in its source's place: it would be made of itself. */
  requeue: `UPDATE jobs SET ${afresh} WHERE id = $job_id AND duplicate_of IS NULL AND status IN ${list('requeue')}
      AND NOT (status = 'completed' AND ${standsInPlace})
    RETURNING ${jobColumns}`,

  requeueEnded: `UPDATE jobs SET ${afresh}, priority = coalesce($priority, priority)
    WHERE id = $job_id AND duplicate_of IS NULL AND status IN ('completed', 'skipped')
      AND NOT (status = 'completed' AND ${standsInPlace})`,

  /** By number, all states, so that a step costs what it reads. */
  nextJobs: `SELECT rowid AS number, converted_with, ${standsInPlace} AS stands_in_place, ${jobColumns} FROM jobs
    WHERE rowid > $after AND duplicate_of IS NULL ORDER BY rowid LIMIT $limit`,

  cancel: `UPDATE jobs SET status = 'cancelled', retry_at_ms = NULL, error_message = 'cancelled', error_class = NULL, ${unclaim}
    WHERE id = $job_id AND status IN ${list('cancel')} AND publish_size IS NULL RETURNING ${jobColumns}`,

  prioritize: `UPDATE jobs SET priority = $priority WHERE id = $job_id RETURNING ${jobColumns}`,

  job: `SELECT ${jobColumns} FROM jobs WHERE id = $job_id`,

  publication: `SELECT published_size, published_mtime_ms, publish_size FROM jobs WHERE id = $job_id`,

  publishing: `SELECT ${jobColumns}, publish_size FROM jobs INDEXED BY jobs_leases
    WHERE status = 'processing' AND publish_size IS NOT NULL`,

  recordAttempt: `INSERT OR REPLACE INTO attempts (job_id, attempt, worker_id, started_at, ended_at, outcome, error_message,
      error_class, step, command, stderr_tail, exit_code, ran_on)
    VALUES ($job_id, $attempt, $worker_id, $started_at, $ended_at, $outcome, $error_message,
      $error_class, $step, $command, $stderr_tail, $exit_code, $ran_on)`,

  /**
   * One more completion on its path, in the row that the path has or in a new one: no two rows are of one path. The reason
   * is the newest completion's, but once a GPU has failed on the way to the path only another such failure replaces it.
   */
  countPath: `INSERT INTO paths (decode, filter, encoder, device, jobs, fell_back, last_reason)
    VALUES ($decode, $filter, $encoder, $device, 1, $fell_back, $reason)
    ON CONFLICT (decode, filter, encoder, ifnull(device, '')) DO UPDATE SET jobs = jobs + 1,
      fell_back = fell_back + excluded.fell_back,
      last_reason = iif(fell_back = 0 OR excluded.fell_back = 1, excluded.last_reason, last_reason)`,

  /** Read in the order of their index, so that it costs no more than the rows asked for. */
  paths: `SELECT decode, filter, encoder, device, jobs, fell_back, last_reason FROM paths ORDER BY jobs DESC, rowid LIMIT $limit`,

  attempts: `SELECT ${attemptColumns} FROM attempts WHERE job_id = $job_id ORDER BY attempt`,

  /** Never the newest of a job: the index holds only those that a later one has followed, so it costs what it removes. */
  forgetAttempts: `DELETE FROM attempts WHERE (job_id, attempt) IN (SELECT job_id, attempt FROM attempts
      INDEXED BY attempts_superseded WHERE superseded = 1 AND ended_at < $before LIMIT $limit)`,

  counters: `SELECT state, jobs, source_bytes, output_bytes FROM counters`,

  /** Of the newest thousand: to group a million takes most of a second. */
  failures: `SELECT error_message, count(*) AS count FROM (SELECT error_message FROM jobs INDEXED BY idx_jobs_status
      WHERE status = 'failed' ORDER BY created_at DESC LIMIT 1000)
    WHERE error_message IS NOT NULL GROUP BY error_message ORDER BY count DESC, error_message LIMIT $limit`,

  completions: `SELECT started_at, completed_at, source_size FROM jobs INDEXED BY jobs_completions
    WHERE status = 'completed' AND completed_at >= $since AND started_at IS NOT NULL ORDER BY completed_at DESC LIMIT $limit`,
} as const

/** A page of jobs in the order in which they were added; the filter's parts that are not given match everything. */
export function pageOfJobs(filter: { status: boolean; worker_id: boolean; search: boolean; after: boolean }): string {
  const conditions = [
    filter.status && 'status = $status',
    filter.worker_id && 'worker_id = $worker_id',
    filter.search && `source_path LIKE $search ESCAPE '\\'`,
    filter.after && '(created_at, rowid) > ($after_created_at, $after_rowid)',
  ].filter((condition) => condition !== false)
  const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : ''
  return `SELECT rowid, ${jobColumns} FROM jobs ${where} ORDER BY created_at, rowid LIMIT $limit`
}

function list(act: Act): string {
  return `(${statesFor(act)
    .map((status: JobStatus) => `'${status}'`)
    .join(', ')})`
}
