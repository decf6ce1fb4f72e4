import type { RanOn } from '../../../src/contract/gpu.ts'
import type { ClaimKey, ClaimResult, ClaimSkip } from '../../../src/queue/store.ts'
import { lease_ms } from '../cases/world.ts'
import { type Model, type ModelJob, owned, ownedByWorker, record, sendBack, settle } from './model.ts'
import { refuse } from './refusals.ts'

/** Claims in a row that may end with a lost worker before the job is held to be the cause. */
const maxLostClaims = 5

/** Who asks, and how large a source may be that is given; any where that is not told. */
export interface Asker {
  worker_id: string
  request_id: string | null
  max_source_bytes?: number | undefined
}

/** The job that the worker gets: the one that its request already has, else the first that is pending. */
export function claim(model: Model, { worker_id, request_id, max_source_bytes }: Asker): ModelJob | undefined {
  const again = model.jobs.find(
    (job) =>
      request_id !== null &&
      job.status === 'processing' &&
      job.worker_id === worker_id &&
      job.request_id === request_id,
  )
  if (again) return again
  const job = nextPending(model, worker_id, max_source_bytes ?? Number.POSITIVE_INFINITY)
  if (!job) return undefined
  Object.assign(job, { status: 'processing', worker_id, request_id, attempt: job.attempt + 1, not_before_ms: 0 })
  Object.assign(job, { error_class: null, ran_on: null, lease_expires_ms: model.now_ms + lease_ms })
  model.claims.unshift({ job_id: job.id, worker_id, request_id, attempt: job.attempt })
  return job
}

/** Of those that the worker may have: the higher priority, then the older job, then the one whose pause ended first, then the one added first. */
function nextPending(model: Model, worker_id: string, limit: number): ModelJob | undefined {
  return model.jobs
    .filter(
      (job) =>
        job.status === 'pending' &&
        job.not_before_ms <= model.now_ms &&
        !job.refused_by.includes(worker_id) &&
        (job.source_size ?? 0) <= limit,
    )
    .toSorted(
      (a, b) => b.priority - a.priority || a.created_at_ms - b.created_at_ms || a.not_before_ms - b.not_before_ms,
    )[0]
}

export function renew(model: Model, key: ClaimKey): ModelJob | undefined {
  const job = owned(model, key)
  if (job) job.lease_expires_ms = model.now_ms + lease_ms
  return job
}

/** Of one worker; of all when none is named. */
export function renewAll(model: Model, worker_id?: string): void {
  for (const job of running(model)) {
    if (worker_id === undefined || job.worker_id === worker_id) job.lease_expires_ms = model.now_ms + lease_ms
  }
}

export function beginPublish(model: Model, key: ClaimKey, result: ClaimResult): ModelJob | undefined {
  const job = owned(model, key)
  const { output_size: publish_size, ran_on, profile } = result
  return job && Object.assign(job, { publish_size, ran_on, profile })
}

export function abandonPublish(model: Model, key: ClaimKey): ModelJob | undefined {
  const job = owned(model, key)
  return job && Object.assign(job, { publish_size: null, ran_on: null, profile: null })
}

export function complete(
  model: Model,
  key: ClaimKey,
  result: ClaimResult & { published: { size_bytes: number; mtime_ms: number } | null },
): ModelJob | undefined {
  const job = owned(model, key)
  if (!job) return undefined
  settle(job, 'completed')
  Object.assign(job, { output_size: result.output_size, ran_on: result.ran_on, profile: result.profile })
  Object.assign(job, { error_class: null, lost_count: 0, failed_by: [], refused_by: [] })
  job.published_size = result.published?.size_bytes ?? -1
  job.published_mtime_ms = result.published?.mtime_ms ?? null
  record(model, job, 'completed')
  if (result.ran_on) countPath(model, result.ran_on)
  return job
}

export function skip(model: Model, key: ClaimKey, { reason, ran_on, profile }: ClaimSkip): ModelJob | undefined {
  const job = ownedByWorker(model, key)
  if (!job) return undefined
  settle(job, 'skipped')
  Object.assign(job, { skip_reason: reason, ran_on, profile, error_class: null, lost_count: 0 })
  Object.assign(job, { failed_by: [], refused_by: [] })
  record(model, job, 'skipped')
  return job
}

/** The name of a path in the model. */
export function pathName(path: Pick<RanOn, 'decode' | 'filter' | 'encoder' | 'device'>): string {
  return [path.decode, path.filter, path.encoder, path.device].join(' ')
}

function countPath(model: Model, ran_on: RanOn): void {
  const counted = model.paths.get(pathName(ran_on)) ?? { jobs: 0, fell_back: 0 }
  model.paths.set(pathName(ran_on), {
    jobs: counted.jobs + 1,
    fell_back: counted.fell_back + (ran_on.fell_back ? 1 : 0),
  })
}

/** How a claim failed, and since when a worker must have been heard from to be there. */
interface Failure extends Pick<ModelJob, 'error_class' | 'retry_at_ms' | 'ran_on'> {
  heard_since_ms: number
}

export function fail(model: Model, key: ClaimKey, failure: Failure): ModelJob | undefined {
  const job = ownedByWorker(model, key)
  if (!job) return undefined
  settle(job, 'failed')
  const { heard_since_ms, ...told } = failure
  Object.assign(job, told, { lost_count: 0 })
  record(model, job, 'failed')
  if (failure.error_class === 'worker') refuse(model, job, key.worker_id, heard_since_ms)
  return job
}

/** Without `recorded` it was a claim that nobody ever had: no attempt to tell of. */
export function learn(model: Model, key: ClaimKey, priority: number | null): ModelJob | undefined {
  const job = ownedByWorker(model, key)
  return job && Object.assign(job, { priority: priority ?? job.priority })
}

export function release(model: Model, key: ClaimKey, not_before_ms: number, recorded = true): ModelJob | undefined {
  const job = ownedByWorker(model, key)
  if (!job) return undefined
  if (recorded) record(model, job, 'released')
  sendBack(model, job)
  return Object.assign(job, { not_before_ms })
}

export function yieldOutput(model: Model, key: ClaimKey): ModelJob | undefined {
  const job = owned(model, key)
  return job && Object.assign(job, { published_size: -1, published_mtime_ms: null })
}

/** The jobs that were given back. */
export function releaseWorker(model: Model, worker_id: string): ModelJob[] {
  const released = running(model).filter((job) => job.worker_id === worker_id && job.publish_size === null)
  for (const job of released) release(model, { job_id: job.id, worker_id, attempt: job.attempt }, 0)
  return released
}

/** The jobs that were taken back, or failed for good after too many losses. */
export function reap(model: Model): ModelJob[] {
  const lost = running(model).filter((job) => job.publish_size === null && job.lease_expires_ms <= model.now_ms)
  for (const job of lost) {
    record(model, job, 'lost')
    const isHopeless = job.lost_count + 1 >= maxLostClaims
    if (isHopeless) {
      settle(job, 'failed')
      Object.assign(job, { lost_count: 0, error_class: 'permanent', ran_on: null })
    } else {
      sendBack(model, job)
      job.lost_count++
    }
  }
  return lost
}

/** The jobs in the middle of publication. */
export function publishing(model: Model): ModelJob[] {
  return running(model).filter((job) => job.publish_size !== null)
}

function running(model: Model): ModelJob[] {
  return model.jobs.filter((job) => job.status === 'processing')
}
