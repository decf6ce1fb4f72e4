import * as v from 'valibot'
import { ConversionSettings, PictureScore } from './conversion.ts'
import { FailureReport } from './failure.ts'
import { Flag, Integer, JobId, Name, Sum, Text } from './fields.ts'
import { RanOn } from './gpu.ts'
import { Assignment, Attempt, JobStatus, JobView, Progress } from './job.ts'
import { SourceFacts } from './profile.ts'
import { Replacement } from './replacement.ts'
import { StatsReport, StatusReport } from './report.ts'
import { Heartbeat, WorkerView } from './worker.ts'

/** Seconds that a claim may wait for work at most; shorter than any idle timeout between worker and master. */
export const maxWaitSeconds = 50

/** What says whose claim is meant; without an attempt (the original's clients) the worker's id alone does. */
const claim = { job_id: JobId, worker_id: Name(), attempt: v.optional(Integer(1)) }
/** What a worker of another version may tell in words that we do not know is no reason to refuse its result. */
const toldRanOn = v.fallback(v.nullish(RanOn, null), null)
const toldRecord = {
  source_facts: v.fallback(v.nullish(SourceFacts, null), null),
  profile: v.fallback(v.nullish(Name(), null), null),
  settings: v.fallback(v.nullish(ConversionSettings, null), null),
}
const toldScore = v.fallback(v.nullish(PictureScore, null), null)
/** The first hundred count. */
const notes = v.optional(
  v.pipe(
    v.array(Text(500)),
    v.transform((told) => told.slice(0, 100)),
  ),
  [],
)
const Done = v.object({ status: v.string(), message: v.optional(v.string()) })

/**
 * Every operation of the wire: method, path, what goes in (query and JSON body are one object), what comes back.
 * A null reply travels as 204 without a body. Server, client and `Api` derive from this table.
 */
export const routes = {
  // Worker to master: the original's four calls.
  nextJob: {
    method: 'GET',
    path: '/api/worker/next-job',
    input: v.object({
      worker_id: Name(),
      gpu_available: v.optional(Flag, false),
      wait: v.optional(Integer(0, maxWaitSeconds), 0),
    }),
    reply: v.nullable(Assignment),
  },
  complete: {
    method: 'POST',
    path: '/api/worker/job-complete',
    input: v.object({
      ...claim,
      output_size: v.optional(Integer(0), 0),
      /** Of the whole result as it was checked; where it is told, what is published has it. */
      sha256: v.nullish(Sum),
      /** Seconds. */
      source_duration: v.optional(v.number()),
      notes,
      ran_on: toldRanOn,
      ...toldRecord,
      score: toldScore,
    }),
    reply: Done,
  },
  fail: {
    method: 'POST',
    path: '/api/worker/job-failed',
    input: v.object({
      ...claim,
      error_message: v.optional(Text(4096), 'the worker gave no reason'),
      report: v.optional(FailureReport),
      ran_on: toldRanOn,
    }),
    reply: Done,
  },
  heartbeat: { method: 'POST', path: '/api/worker/heartbeat', input: Heartbeat, reply: Done },

  // Worker to master: ours.
  register: {
    method: 'POST',
    path: '/api/worker/register',
    input: v.object({ ...Heartbeat.entries, boot_id: Name(64) }),
    /** How many jobs an earlier process of this worker had left behind. */
    reply: v.object({ released: v.number(), lease_ms: v.number() }),
  },
  claim: {
    method: 'POST',
    path: '/api/worker/claim',
    input: v.object({
      worker_id: Name(),
      boot_id: Name(64),
      /** Chosen by the worker; the same one again answers the same job, so a lost answer loses nothing. */
      request_id: Name(64),
      wait: v.optional(Integer(0, maxWaitSeconds), 0),
      /** The largest source for which the worker has room now; without it, it takes any. */
      max_source_bytes: v.optional(Integer(0)),
      /** The largest that its cache has room for when nothing else is in it; missing where that is not bounded. */
      cache_bytes: v.optional(Integer(0)),
      /**
       * Nothing else is: where no source fits, it takes one that does not, unless a worker is there that takes larger ones
       * than it. So it fails with its reason, instead of waiting for ever.
       */
      is_cache_free: v.optional(Flag, false),
    }),
    reply: v.nullable(Assignment),
  },
  reportProgress: {
    method: 'POST',
    path: '/api/worker/progress',
    input: v.object({ ...claim, attempt: Integer(1), progress: Progress }),
    reply: Done,
  },
  /** The claim ends without a result, and without a fault of anybody's: the source is not to be converted. */
  skip: {
    method: 'POST',
    path: '/api/worker/job-skipped',
    input: v.object({
      ...claim,
      attempt: Integer(1),
      /** A sentence. */
      reason: v.pipe(Text(1000), v.nonEmpty('must not be empty')),
      notes,
      /** What an encode ran on that was ended early; null when it did not come to one. */
      ran_on: toldRanOn,
      ...toldRecord,
    }),
    reply: Done,
  },
  release: {
    method: 'POST',
    path: '/api/worker/job-release',
    input: v.object({
      ...claim,
      attempt: Integer(1),
      /** What the source was found to be, where a profile gives such a one a later turn. */
      source_facts: v.fallback(v.nullish(SourceFacts, null), null),
    }),
    reply: Done,
  },
  /** A worker that stops says so: what is still in its name goes back at once, and it shows as offline. */
  leave: {
    method: 'POST',
    path: '/api/worker/leave',
    input: v.object({ worker_id: Name(), boot_id: Name(64) }),
    reply: v.object({ released: v.number() }),
  },

  /** The master writes a file among the results that only who shares its storage can read. */
  beginStorageProof: {
    method: 'POST',
    path: '/api/worker/storage-proof',
    input: v.object({ worker_id: Name() }),
    reply: v.object({
      proof_id: v.string(),
      /** Where the master's file is, and where the worker is to write its own; the master's names for them. */
      path: v.string(),
      answer_path: v.string(),
    }),
  },
  /** What the worker read there, and what it wrote; whether both are the same files to the master. */
  confirmStorage: {
    method: 'POST',
    path: '/api/worker/storage-confirm',
    input: v.object({ worker_id: Name(), proof_id: Name(64), read: Text(200), written: Text(200) }),
    reply: v.object({ is_same: v.boolean() }),
  },
  /** What tells the source of a claim from another file. */
  sourceMark: {
    method: 'GET',
    path: '/api/worker/source-mark',
    input: v.object({ ...claim, attempt: Integer(1) }),
    reply: v.object({
      size: v.number(),
      /** Milliseconds UTC. */
      mtime_ms: v.number(),
      /** SHA-256 of the first bytes, as many as there are up to `head_bytes`. */
      head_sha256: v.string(),
      head_bytes: v.number(),
    }),
  },
  /** The SHA-256 of a source that is downloaded; null while it is still being computed. */
  sourceSum: {
    method: 'GET',
    path: '/api/worker/source-sum',
    input: v.object({ ...claim, attempt: Integer(1), etag: Name() }),
    reply: v.object({ sha256: v.nullable(v.string()) }),
  },

  // People to master.
  status: { method: 'GET', path: '/api/status', input: v.object({}), reply: StatusReport },
  stats: { method: 'GET', path: '/api/stats', input: v.object({}), reply: StatsReport },
  jobs: {
    method: 'GET',
    path: '/api/jobs',
    input: v.object({
      status: v.optional(JobStatus),
      worker_id: v.optional(Name()),
      /** Part of the source path; letter case counts for nothing in ASCII. */
      search: v.optional(Text(500)),
      limit: v.optional(Integer(1, 1000), 100),
      /** The `next` of the page before. */
      after: v.optional(Name(1024)),
    }),
    reply: v.object({ jobs: v.array(JobView), count: v.number(), next: v.nullable(v.string()) }),
  },
  job: {
    method: 'GET',
    path: '/api/job',
    input: v.object({ job_id: JobId }),
    reply: v.object({
      job: JobView,
      attempts: v.array(Attempt),
      /** The newest of its results that took its source's place; null when none did. */
      replacement: v.optional(v.nullable(Replacement), null),
    }),
  },
  workers: {
    method: 'GET',
    path: '/api/workers',
    input: v.object({ active_only: v.optional(Flag, false) }),
    reply: v.object({
      workers: v.array(WorkerView),
      count: v.number(),
      stats: v.object({
        total_workers: v.number(),
        vulkan_workers: v.number(),
        average_active_jobs: v.number(),
        average_cpu_usage: v.number(),
        average_memory_usage: v.number(),
      }),
    }),
  },
  /** Lets a worker that is set aside work again at once, and forgets its failures. */
  resumeWorker: { method: 'POST', path: '/api/worker/resume', input: v.object({ worker_id: Name() }), reply: Done },
  retry: {
    method: 'POST',
    path: '/api/retry',
    input: v.object({ limit: v.optional(Integer(1), 100) }),
    reply: v.object({ retried: v.number(), message: v.string() }),
  },
  retryJob: { method: 'POST', path: '/api/job/retry', input: v.object({ job_id: JobId }), reply: Done },
  requeueJob: { method: 'POST', path: '/api/job/requeue', input: v.object({ job_id: JobId }), reply: Done },
  /** Puts the original of a replaced job back; the job is skipped then. */
  undoJob: { method: 'POST', path: '/api/job/undo', input: v.object({ job_id: JobId }), reply: Done },
  /** Queues what would come out differently by the settings of today, or tells what that is; in several calls where it is much. */
  requeueChanged: {
    method: 'POST',
    path: '/api/requeue',
    input: v.object({
      /** There is no other way to requeue without naming jobs; it says so. */
      changed: v.literal(true, 'must be true: only jobs whose settings changed are requeued together'),
      dry_run: v.optional(Flag, false),
      /** The `next` of the call before. */
      after: v.optional(Integer(0)),
    }),
    reply: v.object({
      /** Completed and skipped jobs. */
      looked_at: v.number(),
      /** Those that are pending now; in a dry run, that would be. */
      requeued: v.number(),
      /** Left alone: by which settings they came to their end is not known. */
      unknown: v.number(),
      /** Left alone: their result stands in their source's place. */
      replaced: v.number(),
      /** Left alone: their source is gone. */
      missing: v.number(),
      /** The requeued ones by what changed for them, most of them first. */
      groups: v.array(
        v.object({
          /** The profile that holds now and the one that did, null for none. */
          profile: v.nullable(v.string()),
          before: v.nullable(v.string()),
          status: JobStatus,
          /** A clause each, `codec h264 -> hevc`. */
          changes: v.array(v.string()),
          jobs: v.number(),
        }),
      ),
      /** Where to go on; null when all were looked at. */
      next: v.nullable(v.number()),
    }),
  },
  cancelJob: { method: 'POST', path: '/api/job/cancel', input: v.object({ job_id: JobId }), reply: Done },
  prioritizeJob: {
    method: 'POST',
    path: '/api/job/priority',
    input: v.object({ job_id: JobId, priority: Integer(0, 10) }),
    reply: Done,
  },
} as const satisfies Record<string, Route>

interface Route {
  method: 'GET' | 'POST'
  path: string
  input: v.GenericSchema
  reply: v.GenericSchema
}

export type Routes = typeof routes
export type Operation = keyof Routes
export type Input<K extends Operation> = v.InferInput<Routes[K]['input']>
/** An operation's input as the receiver sees it: checked, defaults filled in. */
export type Parsed<K extends Operation> = v.InferOutput<Routes[K]['input']>
export type Reply<K extends Operation> = v.InferOutput<Routes[K]['reply']>
