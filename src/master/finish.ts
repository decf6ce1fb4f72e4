import type { Job } from '../contract/job.ts'
import type { Parsed, Reply } from '../contract/routes.ts'
import type { StoredReplacement } from '../queue/replacements.ts'
import type { ClaimKey, ClaimResult, Store } from '../queue/store.ts'
import { sumOf } from '../sums/file-sum.ts'
import { discardAttempt } from './discard-attempt.ts'
import { outputState, whyNotWritten } from './output-state.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { discardStaged, fileAt, publish, type PublishedFile, PublishError, stagingPath } from './publish.ts'
import { releaseChanged, releaseUnmounted } from './release-claim.ts'
import { prepareReplacement, replaceSource } from './replace/replace-source.ts'
import { ChangedMeanwhileError } from './replace/swap.ts'
import { retryAt } from './retry-policy.ts'
import { checkSource } from './source-check.ts'

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
    if (attempt === undefined) return recordForeign(job, completion)
    const staged = stagingPath(parts.output_base, job)
    return parts.uploads.publishing(staged, () => publishStaged(job, completion))
  }

  /** The original's workers write to the output path themselves; what lies there counts more than what they say. */
  async function recordForeign(job: Job, completion: Completion): Promise<Done> {
    const found = await fileAt(job.output_path)
    const output_size = found?.size_bytes ?? completion.output_size
    const completed = await store.complete(completion, { ...completion, output_size, published: null })
    if (!completed) throw notOwner(job, job.id, completion.worker_id)
    const message = `no file at ${job.output_path}: the worker's word was taken for it`
    const remark = found === undefined ? { message } : {}
    onEvent({ type: 'completed', job: completed, ...(found === undefined ? { detail: message } : {}) })
    return { status: 'completed', ...remark }
  }

  async function publishStaged(job: Job, completion: Completion): Promise<Done> {
    if (await begunReplacement(store, job)) return endPublication(parts, job, completion, completion)
    const source = await checkSource(job, parts.root_path)
    if (source.state === 'changed') {
      const detail = 'the source changed while it was being converted: it is queued again'
      await releaseChanged(parts, completion, source, detail)
      return { status: 'pending', message: detail }
    }
    const isGone = source.state === 'missing'
    if (parts.replace.enabled && isGone) return failGone(parts, job, completion)
    if (parts.replace.enabled && source.state === 'unmounted') {
      await releaseUnmounted(parts, completion, 'it was handed in')
      return { status: 'pending', message: 'the storage of the source is not mounted: it is queued again' }
    }
    const notes = isGone
      ? [...completion.notes, 'the source was removed while it was being converted']
      : completion.notes
    return endPublication(parts, job, completion, { ...completion, notes })
  }
}

/**
 * Moves a result to its output path and completes the job. Where an earlier try was cut short after the move, it only
 * records it: the size that was noted before the move tells.
 */
async function endPublication(
  parts: Parts,
  job: Job,
  key: ClaimKey,
  { sha256, ...result }: ClaimResult & { sha256?: string | null | undefined },
): Promise<Done> {
  const { store, onEvent } = parts
  const before = await store.publication(job.id)
  const begun = await begunReplacement(store, job)
  const staged = begun?.staged_path ?? stagingPath(parts.output_base, job)
  try {
    const wasMoved = begun !== undefined || (before?.publish_size ?? null) !== null
    if (sha256) await refuseOther(parts, staged, { ...result, sha256 }, wasMoved)
    const isNew = parts.replace.enabled && !begun
    const prepared = isNew ? await prepareReplacement(parts, job, result.output_size) : undefined
    const told = { ...result, notes: [...result.notes, ...(prepared?.notes ?? [])] }
    const claimed = await store.beginPublish(key, told)
    if (!claimed) throw notOwner(await store.job(job.id), job.id, key.worker_id)
    const noted = prepared ? await store.beginReplacement(key, prepared.replacement) : begun
    const published = noted
      ? await replaceSource(noted, parts)
      : ((await publishedBefore(staged, job, before?.publish_size ?? null)) ?? (await move()))
    const completed = await store.complete(key, { ...told, published })
    if (!completed) throw notOwner(await store.job(job.id), job.id, key.worker_id)
    parts.progress.delete(job.id)
    await discardStaged(staged)
    onEvent({ type: 'completed', job: completed })
    return { status: 'completed' }
  } catch (error) {
    if (!(error instanceof PublishError)) throw error
    const changed = error instanceof ChangedMeanwhileError ? await checkSource(job, parts.root_path) : undefined
    if (changed?.state !== 'changed') return failPublication(error)
    await store.abandonPublish(key)
    await releaseChanged(parts, key, changed, `${error.message}: it is queued again`)
    return { status: 'pending', message: error.message }
  }

  async function move(): Promise<PublishedFile> {
    const state = await outputState(job, before, parts)
    const isRefused = state === 'source' || (state === 'foreign' && !parts.overwrite)
    if (isRefused) throw new PublishError(whyNotWritten(state, job.output_path))
    return publish(staged, job, { output_size: result.output_size, replace: state !== 'free' })
  }

  async function failPublication(error: PublishError): Promise<Done> {
    await store.abandonPublish(key)
    const failed = await store.fail(key, {
      error_message: error.message,
      report: { class: 'retryable', step: 'publish', command: [], stderr_tail: '', exit_code: null },
      retry_at_ms: retryAt(job, 'retryable', parts.retry, parts.clock()),
      ran_on: result.ran_on,
    })
    parts.progress.delete(job.id)
    await discardStaged(staged)
    if (failed) onEvent({ type: 'failed', job: failed })
    return { status: 'failed', message: error.message }
  }
}

/** What came here must be what its worker checked; what an earlier try has moved was looked at before that. */
async function refuseOther(
  { uploads }: Parts,
  staged: string,
  told: ClaimResult & { sha256: string },
  wasMoved: boolean,
): Promise<void> {
  const [found, { sha256, output_size: size }] = [await fileAt(staged), told]
  if (found === undefined && wasMoved) return
  // Of another size, or not there, it is refused in those words.
  const isMounted = told.ran_on?.files === 'mount'
  if (isMounted && found?.size_bytes !== size) return
  const isSame = isMounted
    ? (await sumOf(staged, 0, size)) === sha256
    : await uploads.isAsTold(staged, { sha256, size })
  if (!isSame) throw new PublishError('the result here has another SHA-256 than the one that its worker checked')
}

/** What an earlier try to put the result into its source's place has noted, whatever the settings say now. */
async function begunReplacement(store: Store, { id, attempt }: Job): Promise<StoredReplacement | undefined> {
  const known = await store.replacement(id)
  return known?.attempt === attempt && known.state === 'swapping' ? known : undefined
}

/** A film that was taken away meanwhile is not brought back by its result. */
async function failGone(parts: Parts, job: Job, key: ClaimKey): Promise<Done> {
  const error_message = 'the source was removed while it was being converted: nothing takes its place'
  const failed = await parts.store.fail(key, {
    error_message,
    report: { class: 'permanent', step: 'publish', command: [], stderr_tail: '', exit_code: null },
    retry_at_ms: null,
    ran_on: null,
  })
  await parts.store.forgetSource(job.id)
  await discardAttempt(parts, job)
  if (failed) parts.onEvent({ type: 'failed', job: failed })
  return { status: 'failed', message: error_message }
}

async function publishedBefore(
  staged: string,
  job: Job,
  publish_size: number | null,
): Promise<PublishedFile | undefined> {
  if (publish_size === null || (await fileAt(staged)) !== undefined) return undefined
  const found = await fileAt(job.output_path)
  return found?.size_bytes === publish_size ? found : undefined
}

/** Ends the publications that an interrupted master left half done: the result is staged, already under its name, or lost. */
export async function recoverPublications(parts: Parts): Promise<void> {
  for (const { publish_size, ...job } of await parts.store.publishing()) {
    const key = { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
    // The settings are not the job's to tell; the store has them from the beginning of the publication.
    const result = { ...job, output_size: publish_size, source_duration: undefined, settings: null }
    await endPublication(parts, job, key, result).catch(async (error: unknown) => {
      // Half done it stays as it is, until the worker says it again or the master starts again.
      if (!(await begunReplacement(parts.store, job))) throw error
      parts.log.error(`a replacement that was cut short cannot be ended: ${String(error)}`, { job_id: job.id })
    })
  }
}
