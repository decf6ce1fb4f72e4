import type { Job } from '../contract/job.ts'
import type { Parsed, Reply } from '../contract/routes.ts'
import { checkSource } from './source-check.ts'
import { discardStaged, fileSize, publish, PublishError, stagingPath } from './publish.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { retryAt } from './retry-policy.ts'

type Completion = Parsed<'complete'>
type Done = Reply<'complete'>

/**
 * Takes a worker's word that a job is done: checks the claim and the source, publishes, and records, so that a job is
 * completed only once its result is on disk under its name. Sent twice, it answers twice and acts once.
 */
export function finishClaim(parts: Parts): (completion: Completion) => Promise<Done> {
  const { store, onEvent } = parts
  const running = new Map<string, Promise<Done>>()
  return async (completion) => {
    const key = `${completion.job_id}#${completion.attempt ?? ''}#${completion.worker_id}`
    const current = running.get(key) ?? finish(completion).finally(() => running.delete(key))
    running.set(key, current)
    return current
  }

  async function finish(completion: Completion): Promise<Done> {
    const { job_id, worker_id, attempt } = completion
    const job = await store.job(job_id)
    const isRepeated = job?.status === 'completed' && job.worker_id === worker_id && job.attempt === attempt
    if (isRepeated) return { status: 'completed' }
    if (!isOwner(job, completion)) throw notOwner(job, job_id, worker_id)
    parts.progress.delete(job_id)
    return attempt === undefined ? recordForeign(job, completion) : publishStaged(job, completion)
  }

  /** The original's workers write to the output path themselves; what lies there counts more than what they say. */
  async function recordForeign(job: Job, completion: Completion): Promise<Done> {
    const found = await fileSize(job.output_path)
    const completed = await store.complete(completion, { ...completion, output_size: found ?? completion.output_size })
    if (!completed) throw notOwner(job, job.id, completion.worker_id)
    if (found !== undefined) {
      onEvent({ type: 'completed', job: completed })
      return { status: 'completed' }
    }
    const message = `no file at ${job.output_path}: the worker's word was taken for it`
    onEvent({ type: 'completed', job: completed, detail: message })
    return { status: 'completed', message }
  }

  async function publishStaged(job: Job, completion: Completion): Promise<Done> {
    const staged = stagingPath(parts.output_base, job, parts.settings.container)
    const source = await checkSource(job, parts.root_path)
    if (source.state === 'changed') {
      await store.updateSource(job.id, source)
      const detail = 'the source changed while it was being converted: it is queued again'
      const released = await store.release(completion, parts.clock() + parts.settle_time_ms)
      await discardStaged(staged)
      if (released) onEvent({ type: 'released', job: released, detail })
      return { status: 'pending', message: detail }
    }
    const claimed = await store.beginPublish(completion, completion.output_size)
    if (!claimed) throw notOwner(await store.job(job.id), job.id, completion.worker_id)
    try {
      await publish(staged, claimed, completion.output_size)
    } catch (error) {
      if (!(error instanceof PublishError)) throw error
      return failPublish(claimed, completion, error)
    }
    const completed = await store.complete(completion, completion)
    await discardStaged(staged)
    if (!completed) throw notOwner(await store.job(job.id), job.id, completion.worker_id)
    onEvent({ type: 'completed', job: completed })
    return { status: 'completed' }
  }

  async function failPublish(job: Job, completion: Completion, error: PublishError): Promise<Done> {
    await store.abandonPublish(completion)
    const failed = await store.fail(completion, {
      error_message: error.message,
      report: { class: 'retryable', step: 'publish', command: [], stderr_tail: '', exit_code: null },
      retry_at_ms: retryAt(job, 'retryable', parts.retry, parts.clock()),
    })
    if (failed) onEvent({ type: 'failed', job: failed })
    return { status: 'failed', message: error.message }
  }
}

/** Ends the publications that an interrupted master left half done: the result is staged or already under its name. */
export async function recoverPublications(parts: Parts): Promise<void> {
  for (const { publish_size, ...job } of await parts.store.publishing()) {
    const key = { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
    const staged = stagingPath(parts.output_base, job, parts.settings.container)
    const isStaged = (await fileSize(staged)) === publish_size
    if (isStaged) await publish(staged, job, publish_size).catch(() => {})
    const isThere = (await fileSize(job.output_path)) === publish_size
    if (!isThere) await parts.store.abandonPublish(key)
    const ended = isThere
      ? await parts.store.complete(key, { output_size: publish_size, notes: job.notes })
      : await parts.store.release(key)
    if (ended)
      parts.onEvent({ type: isThere ? 'completed' : 'released', job: ended, detail: 'after a restart of the master' })
    await discardStaged(staged)
  }
}
