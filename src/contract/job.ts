import * as v from 'valibot'
import { ConversionSettings, PictureScore } from './conversion.ts'
import { conversionSteps, failureClasses } from './failure.ts'
import { RanOn, VideoPath } from './gpu.ts'
import { Profile, SourceFacts } from './profile.ts'

/** `skipped`: the source is not to be converted, by a rule or by what a worker found. */
export const jobStatuses = ['pending', 'processing', 'completed', 'failed', 'cancelled', 'skipped'] as const
export const JobStatus = v.picklist(jobStatuses, `must be one of ${jobStatuses.join(', ')}`)
export type JobStatus = v.InferOutput<typeof JobStatus>

/** How far a running attempt is, as its worker last said. */
export const Progress = v.object({
  step: v.picklist(conversionSteps),
  /** 0 to 100 of the source's duration; null while it is not known. */
  percent: v.nullable(v.number()),
  /** Frames encoded per second of wall time. */
  fps: v.nullable(v.number()),
  /** Seconds of media converted per second of wall time. */
  speed: v.nullable(v.number()),
  /** Seconds until the encode ends at this speed; null while it is not known. */
  eta_seconds: v.nullable(v.number()),
  /** What the encode runs on; null before it begins. */
  runs_on: v.fallback(v.optional(v.nullable(VideoPath), null), null),
})
export type Progress = v.InferOutput<typeof Progress>

/** Of a job for which nobody and no profile asked for another. */
export const defaultPriority = 5

/** One source and what becomes of it. The first thirteen fields are the original contract's; times are RFC 3339 UTC or null. */
export const Job = v.object({
  /** Stable for a source path: scanning again finds the same id. */
  id: v.string(),
  source_path: v.string(),
  output_path: v.string(),
  status: JobStatus,
  /** Who holds the job, or who ended it; null while nobody has it. */
  worker_id: v.nullable(v.string()),
  started_at: v.nullable(v.string()),
  completed_at: v.nullable(v.string()),
  /** Why the last attempt ended without a result; null when there was none. */
  error_message: v.nullable(v.string()),
  /** Automatic retries so far, 0 to max_retries. */
  retry_count: v.number(),
  max_retries: v.number(),
  created_at: v.string(),
  /** Seconds; null until a worker has probed the source. */
  source_duration: v.nullable(v.number()),
  /** Bytes of the published result; null until there is one. */
  output_size: v.nullable(v.number()),

  /** Number of the newest claim, 0 before the first. What carries an older number changes nothing. */
  attempt: v.number(),
  /** 0 to 10; higher goes first. */
  priority: v.number(),
  /** Bytes of the source when it was scanned; null for a job that no scan has seen. */
  source_size: v.nullable(v.number()),
  /** The source's modification time when it was scanned, milliseconds UTC. */
  source_mtime_ms: v.nullable(v.number()),
  error_class: v.nullable(v.picklist(failureClasses)),
  /** When a failed job goes back to pending by itself, milliseconds UTC; null when it does not. */
  retry_at_ms: v.nullable(v.number()),
  /** What the conversion dropped or changed by rule, a sentence each. */
  notes: v.array(v.string()),
  /** What the newest attempt's picture ran on; null while it runs, when none came so far, or its worker did not tell. */
  ran_on: v.optional(v.nullable(RanOn), null),
  /** Why it is not converted, a sentence; null unless it is skipped. */
  skip_reason: v.optional(v.nullable(v.string()), null),
  /** The profile by which it was converted or skipped; null when none held, or while it is neither. */
  profile: v.optional(v.nullable(v.string()), null),
  /** Null until a worker has probed the source, and where none of those that did tells. */
  source_facts: v.fallback(v.optional(v.nullable(SourceFacts), null), null),
  /** Null where the result was not measured. */
  score: v.fallback(v.optional(v.nullable(PictureScore), null), null),
})
export type Job = v.InferOutput<typeof Job>

/** A job as lists show it: with what its worker last said of it, null when it is not running or nothing was said yet. */
export const JobView = v.object({ ...Job.entries, progress: v.nullable(Progress) })
export type JobView = v.InferOutput<typeof JobView>

/** A claimed job with all that a worker needs to run it. */
export const Assignment = v.object({
  ...Job.entries,
  /** Those that hold where none of the profiles does, or for certain: who knows no profiles is served best by them. */
  settings: ConversionSettings,
  /** Those that may hold for the source, by its path; the first whose conditions hold, too, takes the settings' place. */
  profiles: v.optional(v.array(Profile), []),
  /** Where the worker leaves the checked result; the master moves it to `output_path`. */
  staging_path: v.string(),
  /** Milliseconds after which the job is given to another worker unless a heartbeat renewed it. */
  lease_ms: v.number(),
  /** Bytes of a source whose turn it was before, and for which the worker had no room; null when there is none. */
  passed_over_bytes: v.optional(v.nullable(v.number()), null),
})
export type Assignment = v.InferOutput<typeof Assignment>

/** How one claim of a job ended. */
export const Attempt = v.object({
  job_id: v.string(),
  attempt: v.number(),
  worker_id: v.nullable(v.string()),
  started_at: v.nullable(v.string()),
  ended_at: v.string(),
  outcome: v.picklist(['completed', 'failed', 'released', 'lost', 'cancelled', 'skipped']),
  /** Why it ended so; null where there is nothing to say. */
  error_message: v.nullable(v.string()),
  error_class: v.nullable(v.picklist(failureClasses)),
  step: v.nullable(v.picklist(conversionSteps)),
  command: v.array(v.string()),
  stderr_tail: v.string(),
  exit_code: v.nullable(v.number()),
  /** Null when the attempt did not come to an encode, or its worker did not tell. */
  ran_on: v.optional(v.nullable(RanOn), null),
})
export type Attempt = v.InferOutput<typeof Attempt>
