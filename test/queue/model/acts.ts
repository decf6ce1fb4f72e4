import type { FoundSource } from '../../../src/queue/store.ts'
import { keep_history_ms } from '../cases/world.ts'
import { afresh, find, fitFor, type Model, type ModelJob, newJob, record, sendBack, settle } from './model.ts'

/** How a batch of a scan counts. */
export function addSources(model: Model, sources: readonly FoundSource[]) {
  const counts = { added: 0, changed: 0, unchanged: 0 }
  for (const source of sources) counts[addSource(model, source)]++
  return counts
}

function addSource(model: Model, source: FoundSource): 'added' | 'changed' | 'unchanged' {
  const { id, source_size, source_mtime_ms, problem, rule } = source
  const known = find(model, id)
  const job = known ?? newJob(id, model.now_ms)
  if (!known) model.jobs.push(job)
  else if (known.status === 'processing') return 'unchanged'
  else if (isSame(known, source) && !isCured(known, source)) {
    if (problem === null && known.status === 'pending') skipByRule(known, source)
    return 'unchanged'
  } else {
    afresh(known)
    known.output_size = null
  }
  Object.assign(job, { source_size, source_mtime_ms })
  if (!known) job.priority = rule?.priority ?? 5
  if (problem !== null) Object.assign(job, { status: 'failed', error_class: 'permanent' })
  else skipByRule(job, source)
  return known ? 'changed' : 'added'
}

function skipByRule(job: ModelJob, { rule }: FoundSource): void {
  if (!rule?.skip_reason) return
  Object.assign(job, { status: 'skipped', skip_reason: rule.skip_reason, profile: rule.profile, error_class: null })
}

function isSame(known: ModelJob, source: FoundSource): boolean {
  return known.source_size === source.source_size && known.source_mtime_ms === source.source_mtime_ms
}

/** What only a scan had refused, of which no attempt was made, and which a scan does not refuse any more. */
function isCured(known: ModelJob, source: FoundSource): boolean {
  const isRefused = known.status === 'failed' && known.attempt === 0 && known.error_class === 'permanent'
  return isRefused && source.problem === null
}

export function updateSource(model: Model, id: string, source: { source_size: number; source_mtime_ms: number }): void {
  Object.assign(find(model, id) ?? {}, source)
}

/** No file has a time before 1970 that a scan would take for unchanged. */
export function forgetSource(model: Model, id: string): void {
  Object.assign(find(model, id) ?? {}, { source_mtime_ms: -1 })
}

/** How many jobs went back by themselves. */
export function retryDue(model: Model): number {
  const due = model.jobs.filter(
    (job) => job.status === 'failed' && job.retry_at_ms !== null && job.retry_at_ms <= model.now_ms,
  )
  for (const job of due) {
    sendBack(model, job)
    Object.assign(job, { retry_at_ms: null, retry_count: job.retry_count + 1 })
  }
  return due.length
}

export function retry(model: Model, id: string): ModelJob | undefined {
  return queueAfresh(fitFor(model, 'retry', id))
}

/** How many of the oldest failed jobs went back, at most `limit`. */
export function retryFailed(model: Model, limit: number): number {
  const failed = model.jobs.filter((job) => job.status === 'failed').slice(0, limit)
  for (const job of failed) afresh(job)
  return failed.length
}

export function requeue(model: Model, id: string): ModelJob | undefined {
  return queueAfresh(fitFor(model, 'requeue', id))
}

/** How many of them went back. */
export function requeueEnded(model: Model, wanted: readonly { job_id: string; priority: number | null }[]): number {
  const ended = wanted.filter(({ job_id }) => ['completed', 'skipped'].includes(find(model, job_id)?.status ?? ''))
  for (const { job_id, priority } of ended) {
    const job = queueAfresh(find(model, job_id))
    if (job && priority !== null) job.priority = priority
  }
  return ended.length
}

function queueAfresh(job: ModelJob | undefined): ModelJob | undefined {
  if (job) afresh(job)
  return job
}

export function cancel(model: Model, id: string): ModelJob | undefined {
  const job = fitFor(model, 'cancel', id)
  if (!job || job.publish_size !== null) return undefined
  if (job.status === 'processing') record(model, job, 'cancelled')
  settle(job, 'cancelled')
  return Object.assign(job, { retry_at_ms: null, error_class: null })
}

/** Of a history older than is kept, the newest entry stays. */
export function tidy(model: Model): void {
  const before = model.now_ms - keep_history_ms
  for (const job of model.jobs) {
    job.history = job.history.filter((ended) => ended === job.history.at(-1) || ended.ended_at_ms >= before)
  }
}

export function prioritize(model: Model, id: string, priority: number): ModelJob | undefined {
  const job = find(model, id)
  return job && Object.assign(job, { priority })
}
