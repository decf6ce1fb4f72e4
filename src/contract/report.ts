import * as v from 'valibot'
import { VideoPath } from './gpu.ts'

/** Jobs by state: flat, numbers only. */
export const StatusReport = v.object({
  pending: v.number(),
  processing: v.number(),
  completed: v.number(),
  failed: v.number(),
  cancelled: v.number(),
  skipped: v.optional(v.number(), 0),
})
export type StatusReport = v.InferOutput<typeof StatusReport>

/** Measured figures; null where nothing was measured yet. */
export const StatsReport = v.object({
  timestamp: v.string(),
  version: v.string(),
  /** When this master started, RFC 3339 UTC. */
  started_at: v.string(),
  jobs: v.object({
    ...StatusReport.entries,
    total: v.number(),
    /** Failed jobs that go back to pending by themselves. */
    awaiting_retry: v.number(),
  }),
  bytes: v.object({
    /** Source bytes of the jobs that are pending or processing. */
    remaining: v.number(),
    /** Source and output bytes of the completed jobs. */
    completed_source: v.number(),
    completed_output: v.number(),
    /** Bytes of originals that are kept aside; 0 where no master tells. */
    kept_originals: v.optional(v.number(), 0),
  }),
  /** Completions per hour over the measured window; null before the first. */
  files_per_hour: v.nullable(v.number()),
  /** Seconds of wall time until nothing is pending at the measured rate of source bytes; null before the first completion and while no worker is there. */
  eta_seconds: v.nullable(v.number()),
  /** Completions that these figures were measured on. */
  measured_jobs: v.number(),
  /** Median seconds from claim to completion over the measured window. */
  median_job_seconds: v.nullable(v.number()),
  workers: v.object({ active: v.number(), total: v.number(), vulkan: v.number(), active_jobs: v.number() }),
  /** What the conversions that were completed since this queue began ran on, most of them first. */
  paths: v.optional(
    v.array(
      v.object({
        ...VideoPath.entries,
        jobs: v.number(),
        /** Of these, those in which a GPU failed first. */
        fell_back: v.number(),
        /** Why the newest one of them ran on nothing better; null when nothing is. */
        last_reason: v.nullable(v.string()),
      }),
    ),
    [],
  ),
  scan: v.object({
    running: v.boolean(),
    /** When the newest whole scan ended, RFC 3339 UTC; null before the first. */
    last_completed_at: v.nullable(v.string()),
    /** Video files seen by the newest scan. */
    files_seen: v.number(),
    /** Files that are still being written and will be looked at again. */
    settling: v.number(),
    /** Folders and files that could not be read, a sentence each (the first hundred). */
    problems: v.array(v.string()),
  }),
  /** Files by last error, most frequent first, at most ten. */
  failures: v.array(v.object({ error_message: v.string(), count: v.number() })),
})
export type StatsReport = v.InferOutput<typeof StatsReport>
