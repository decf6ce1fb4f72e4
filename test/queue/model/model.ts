import type { Attempt, Job, JobStatus } from '../../../src/contract/job.ts'
import type { ClaimKey } from '../../../src/queue/store.ts'
import { type Act, statesFor } from '../../../src/queue/transitions.ts'

/** What the contract promises of a job, and nothing of how a store keeps it. */
export interface ModelJob extends Pick<
  Job,
  | 'id'
  | 'status'
  | 'attempt'
  | 'priority'
  | 'worker_id'
  | 'output_size'
  | 'retry_count'
  | 'retry_at_ms'
  | 'error_class'
  | 'ran_on'
  | 'skip_reason'
  | 'profile'
  | 'source_size'
  | 'source_mtime_ms'
> {
  /** Milliseconds UTC. */
  created_at_ms: number
  /** Null for a foreign worker's claim, and while nobody has the job. */
  request_id: string | null
  lease_expires_ms: number
  not_before_ms: number
  /** Claims in a row that ended with a lost worker. */
  lost_count: number
  /** Of the result on its way to its output path; null when none is. */
  publish_size: number | null
  published_size: number | null
  published_mtime_ms: number | null
  /** Who failed it as one that they cannot do, since it was last queued afresh; sorted. */
  failed_by: string[]
  /** Those of them that may not have it. */
  refused_by: string[]
  /** Since when it waits for another worker. */
  refused_at_ms: number
  history: (Pick<Attempt, 'attempt' | 'worker_id' | 'outcome'> & { ended_at_ms: number })[]
}

/** A queue as its contract describes it, in plain values. Its acts are in `claims.ts` and `acts.ts`. */
export interface Model {
  /** The held clock, milliseconds UTC. */
  now_ms: number
  /** In the order in which they were added. */
  jobs: ModelJob[]
  /** Every claim that was ever handed out, the newest first. */
  claims: (ClaimKey & { attempt: number; request_id: string | null })[]
  /** When each worker was last heard from, milliseconds UTC. */
  heard: Map<string, number>
  /** Completions by what they ran on. */
  paths: Map<string, { jobs: number; fell_back: number }>
}

/** The model of an empty queue. */
export function emptyModel(now_ms: number): Model {
  return { now_ms, jobs: [], claims: [], heard: new Map(), paths: new Map() }
}

/** A job of which nothing was tried yet. */
export function newJob(id: string, now_ms: number): ModelJob {
  return {
    id,
    status: 'pending',
    attempt: 0,
    priority: 5,
    worker_id: null,
    output_size: null,
    retry_count: 0,
    retry_at_ms: null,
    error_class: null,
    ran_on: null,
    skip_reason: null,
    profile: null,
    source_size: null,
    source_mtime_ms: null,
    created_at_ms: now_ms,
    request_id: null,
    lease_expires_ms: 0,
    not_before_ms: 0,
    lost_count: 0,
    publish_size: null,
    published_size: null,
    published_mtime_ms: null,
    failed_by: [],
    refused_by: [],
    refused_at_ms: 0,
    history: [],
  }
}

/** The job of an id; undefined when there is none. */
export function find(model: Model, id: string): ModelJob | undefined {
  return model.jobs.find((job) => job.id === id)
}

/** The job of an id, when it is in a state for the act. */
export function fitFor(model: Model, act: Act, id: string): ModelJob | undefined {
  return model.jobs.find((job) => job.id === id && statesFor(act).includes(job.status))
}

/** The job whose newest claim the key opens: that worker's, by number, or without one where it was a foreign claim. */
export function owned(model: Model, key: ClaimKey): ModelJob | undefined {
  return model.jobs.find(
    (job) =>
      job.id === key.job_id &&
      job.status === 'processing' &&
      job.worker_id === key.worker_id &&
      (key.attempt === undefined ? job.request_id === null : job.attempt === key.attempt),
  )
}

/** The same, unless its result is on its way to the output path. */
export function ownedByWorker(model: Model, key: ClaimKey): ModelJob | undefined {
  const job = owned(model, key)
  return job?.publish_size === null ? job : undefined
}

/** Ends the job's claim, if it has one, and leads it into a state. */
export function settle(job: ModelJob, status: JobStatus): void {
  Object.assign(job, { status, request_id: null, lease_expires_ms: 0, publish_size: null })
}

/** Back to the queue as if it had never been tried. */
export function afresh(job: ModelJob): void {
  settle(job, 'pending')
  Object.assign(job, { worker_id: null, retry_count: 0, retry_at_ms: null, error_class: null, ran_on: null })
  Object.assign(job, {
    skip_reason: null,
    profile: null,
    lost_count: 0,
    not_before_ms: 0,
    failed_by: [],
    refused_by: [],
  })
}

/** Back to the queue after an attempt; what some worker refused waits for another one from now on. */
export function sendBack(model: Model, job: ModelJob): void {
  settle(job, 'pending')
  Object.assign(job, { worker_id: null, refused_at_ms: model.now_ms })
}

/** Keeps how the job's claim ended. */
export function record(model: Model, job: ModelJob, outcome: Attempt['outcome']): void {
  const { attempt, worker_id } = job
  job.history.push({ attempt, worker_id, outcome, ended_at_ms: model.now_ms })
}
