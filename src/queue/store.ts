import type { ConversionSettings, PictureScore } from '../contract/conversion.ts'
import type { ConversionRecord } from '../contract/conversion-record.ts'
import type { Attempt, Job, JobStatus } from '../contract/job.ts'
import type { SourceFacts } from '../contract/profile.ts'
import type { FailureReport } from '../contract/failure.ts'
import type { GpuReport, RanOn } from '../contract/gpu.ts'
import type { StatsReport, StatusReport } from '../contract/report.ts'
import type { Heartbeat } from '../contract/worker.ts'
import type { Replacements } from './replacements.ts'
import type { Standings } from './standings.ts'
import type { Tokens } from './tokens.ts'

/** A video file that a scan has found and that is no longer being written. */
export interface FoundSource {
  /** Stable for the path. */
  id: string
  /** Absolute. */
  source_path: string
  /** Bytes. */
  source_size: number
  /** Milliseconds UTC. */
  source_mtime_ms: number
  /** Absolute, in order of preference; the job gets the first that no other job has. At least one. */
  output_paths: readonly string[]
  /** Why this file can never be converted, a sentence; the job is then added as failed. Null for an ordinary file. */
  problem: string | null
  /** What its path alone decides; null or missing where nothing is decided yet. */
  rule?: SourceRule | null | undefined
}

/** What a profile decides of a source by its path alone. */
export interface SourceRule {
  profile: string
  /** 0 to 10, for a job that is new; null for the usual one. */
  priority: number | null
  /** Why the file is not to be converted, a sentence; the job is then added as skipped. Null where it is. */
  skip_reason: string | null
}

/** Whose claim an act is about. Without an attempt the worker's id alone decides, for claims without a request id. */
export interface ClaimKey {
  job_id: string
  worker_id: string
  attempt?: number | undefined
}

/** What a worker tells of the result of its claim. */
export interface ClaimResult extends ConversionRecord {
  /** Bytes. */
  output_size: number
  /** Seconds. */
  source_duration?: number | undefined
  notes: readonly string[]
  /** Null when the worker does not tell. */
  ran_on: RanOn | null
  /** Null when nothing was measured. */
  score: PictureScore | null
}

/** Why a claim ends without a result and without a fault. */
export interface ClaimSkip extends ConversionRecord {
  /** A sentence. */
  reason: string
  notes: readonly string[]
  /** Null when it did not come to an encode. */
  ran_on: RanOn | null
}

/** A job that has come to its end, with the settings that it did so by: null where nobody told, or by rule without any. */
export type EndedJob = Job & {
  converted_with: ConversionSettings | null
  /** Whether its result stands in the place of its source. */
  is_replacement: boolean
}

/** A worker as its newest heartbeat told. */
export interface WorkerRow {
  id: string
  hostname: string
  last_heartbeat: string | null
  vulkan_available: boolean
  active_jobs: number
  gpu_name: string
  cpu_usage: number
  memory_usage: number
  /** Percent; null where the worker does not tell. */
  gpu_usage: number | null
  /** Null where the worker does not tell, or not in words that this program knows. */
  gpu_report: GpuReport | null
  status: Heartbeat['status']
  boot_id: string | null
}

export interface JobFilter {
  status?: JobStatus | undefined
  worker_id?: string | undefined
  search?: string | undefined
  /** Rows at most. */
  limit: number
  /** Position after which the page starts, as an earlier page gave it. */
  after?: string | undefined
}

/** What the newest completions say about speed. */
export interface CompletionWindow {
  /** Completions measured. */
  count: number
  /** Their source bytes together. */
  source_bytes: number
  /** Seconds of wall time in which at least one of them was being worked on. */
  busy_seconds: number
  /** Seconds from claim to completion; null when there was none. */
  median_job_seconds: number | null
}

/** By what the file at a job's output path is known as ours. */
export interface Publication {
  /** Bytes; -1 when whatever lies there is ours, null when nothing is. */
  published_size: number | null
  /** Milliseconds UTC; null for any. */
  published_mtime_ms: number | null
  /** Bytes of the result that is on its way there; null when none is. */
  publish_size: number | null
}

/** The completions that ran on one path; all that ever were, requeued jobs counted each time. */
export type PathTotals = StatsReport['paths'][number]

export interface Totals {
  by_status: StatusReport
  awaiting_retry: number
  remaining_source_bytes: number
  completed_source_bytes: number
  completed_output_bytes: number
  /** Of originals that are kept aside. */
  kept_original_bytes: number
}

/**
 * Where jobs live. A result of `undefined` means: not there, not yours, or not in a state for that. Each method is one
 * atomic step, durable when its promise resolves. Ownership is checked by the step itself: a claim that is no longer the
 * newest changes nothing. Times come from the store's clock.
 *
 * What a job ran on is kept as its error is: set when an attempt is completed, skipped or failed, still there while the job
 * waits for its own retry, taken away by the next claim and by a retry, a requeue or a changed source. So an attempt that
 * was released, lost or cancelled has none. The same holds for why it was skipped, its profile, its score and the settings
 * it was converted with, which a failure does not set. What the source was found to be stays until the source changes.
 *
 * A lease that has run out ends nothing by itself: until `reap` looks, the claim is its owner's, who may renew it or end it
 * as before. From then on it is nobody's.
 */
export interface Store extends Standings, Replacements, Tokens {
  /** Adds new sources as pending, queues changed ones again, leaves unchanged ones and those being processed alone. */
  addSources(sources: readonly FoundSource[]): Promise<{ added: number; changed: number; unchanged: number }>

  /**
   * Gives the next pending job to the worker, or the one it already got for this request id; undefined when none is
   * pending. A claim without a request id is a foreign worker's: its worker id alone owns it. A worker gets no job that it
   * refused, none while it is set aside, and with a limit none whose source is known to be larger.
   */
  claim(claim: {
    worker_id: string
    request_id: string | null
    lease_ms: number
    /** Of the source, in bytes. */
    max_source_bytes?: number | undefined
  }): Promise<Job | undefined>
  /** The job that a worker would be given now without a limit; with another job, only if its turn is before that one's. */
  nextFor(worker_id: string, before_id?: string): Promise<Job | undefined>
  /** Prolongs the claim's lease; false when it is no longer the worker's. */
  renew(key: ClaimKey, lease_ms: number): Promise<boolean>
  /** Prolongs every lease in the worker's name. */
  renewWorker(worker_id: string, lease_ms: number): Promise<void>
  /**
   * Notes that the result is about to be moved to its output path, and all that is told of it: from here on the claim is
   * the master's to end. The job tells it to a master that ends the publication of another.
   */
  beginPublish(key: ClaimKey, result: ClaimResult): Promise<Job | undefined>
  /** The result could not be moved: the claim can be failed or released again. */
  abandonPublish(key: ClaimKey): Promise<Job | undefined>
  /**
   * Ends the claim with a result, and counts it under what it ran on where that is told. Settings that are null leave
   * those that `beginPublish` noted.
   */
  complete(
    key: ClaimKey,
    /** `published`: the file as it lies at the output path; null when a foreign worker wrote it. */
    result: ClaimResult & { published: { size_bytes: number; mtime_ms: number } | null },
  ): Promise<Job | undefined>
  /**
   * Ends the claim because its source is not to be converted. The job is not offered again, unless by `requeue` or when
   * its source changes. Clears what speaks against its worker when it came to an encode: only that shows it well.
   */
  skip(key: ClaimKey, skip: ClaimSkip): Promise<Job | undefined>
  /**
   * Fails the claim; the job goes back to pending by itself at `retry_at_ms`, or never when that is null. Of class `worker` it
   * is a refusal, as `Standings` says; there, too, when a failure sets its worker aside.
   */
  fail(
    key: ClaimKey,
    failure: {
      error_message: string
      report: FailureReport | undefined
      retry_at_ms: number | null
      /** Null when it did not come to an encode, or the worker does not tell. */
      ran_on: RanOn | null
      /** Milliseconds UTC: the workers heard from since then are there. Without it nobody is. */
      heard_since_ms?: number | undefined
    },
  ): Promise<Job | undefined>
  /** Notes what the source of the claim was found to be, and gives its job another priority; null leaves that. */
  learn(key: ClaimKey, found: { source_facts: SourceFacts; priority: number | null }): Promise<Job | undefined>
  /** Gives the claim back unharmed: pending again at once, or after `not_before_ms`. */
  release(key: ClaimKey, not_before_ms?: number): Promise<Job | undefined>
  /** Takes back a claim that was never handed out: as `release`, but no attempt to tell of. */
  putBack(key: ClaimKey, not_before_ms: number): Promise<Job | undefined>
  /** Notes that the claim's owner is a foreign worker, which writes to the output path itself. */
  yieldOutput(key: ClaimKey): Promise<boolean>
  /** Releases all that is in the worker's name; the jobs as they were released. */
  releaseWorker(worker_id: string): Promise<Job[]>

  /** Takes back what leases have run out for: pending again, or failed for good after too many losses. */
  reap(): Promise<Job[]>
  /** Puts failed jobs whose pause is over back to pending; how many. */
  retryDue(): Promise<number>
  /** Gives every running claim a full lease: called at start, since nobody could renew while the master was away. */
  renewAll(lease_ms: number): Promise<void>

  /**
   * Keeps the store itself small, a little at a time: removes old attempts that a later one of their job has followed,
   * gives back space that it does not need any more. To be called every second or so. A sentence where something outside
   * stands in its way; undefined when all is well.
   */
  tidy(): Promise<string | undefined>

  retry(job_id: string): Promise<Job | undefined>
  /** Retries failed jobs, oldest first; how many. */
  retryFailed(limit: number): Promise<number>
  requeue(job_id: string): Promise<Job | undefined>
  /**
   * Requeues those of these jobs that are completed or skipped, with another priority where one is given; how many. Not one
   * whose result stands in its source's place.
   */
  requeueEnded(jobs: readonly { job_id: string; priority: number | null }[]): Promise<number>
  /**
   * The completed and skipped ones among the next `limit` jobs after a position, 0 for the first, in the order in which they
   * were added; and the position to go on from, null after the last job.
   */
  endedJobs(after: number, limit: number): Promise<{ jobs: EndedJob[]; next: number | null }>
  cancel(job_id: string): Promise<Job | undefined>
  prioritize(job_id: string, priority: number): Promise<Job | undefined>
  /** Records what the source looks like now, so that a claim can tell a changed one. */
  updateSource(job_id: string, source: { source_size: number; source_mtime_ms: number }): Promise<void>
  /** Forgets what the source looked like, so that the next scan that finds it queues it again. */
  forgetSource(job_id: string): Promise<void>

  job(job_id: string): Promise<Job | undefined>
  jobs(filter: JobFilter): Promise<{ jobs: Job[]; next: string | null }>
  attempts(job_id: string): Promise<Attempt[]>
  /** Jobs that are in the middle of publication: only a master that was interrupted leaves any. */
  publishing(): Promise<(Job & { publish_size: number })[]>
  publication(job_id: string): Promise<Publication | undefined>
  totals(): Promise<Totals>
  /** Completions by what they ran on, most of them first, at most `limit`. */
  paths(limit: number): Promise<PathTotals[]>
  failures(limit: number): Promise<{ error_message: string; count: number }[]>
  /** Measures the newest completions since an instant, at most `limit`. */
  completions(since_ms: number, limit: number): Promise<CompletionWindow>

  heartbeat(heartbeat: Heartbeat): Promise<void>
  /**
   * As `heartbeat`, of a process that is about to work: unless the worker is known on another host, was heard from there
   * since `heard_since_ms` and did not leave. The worker as it was known; refused when nothing was changed.
   */
  register(heartbeat: Heartbeat, heard_since_ms: number): Promise<{ known: WorkerRow | undefined; is_refused: boolean }>
  /** Forgets a worker's last heartbeat: it said that it stops. */
  markOffline(worker_id: string): Promise<void>
  workers(): Promise<WorkerRow[]>
  worker(worker_id: string): Promise<WorkerRow | undefined>

  close(): Promise<void>
}
