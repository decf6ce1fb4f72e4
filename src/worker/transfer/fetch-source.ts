import { createHash } from 'node:crypto'
import { DarkstreamError } from '../../contract/error.ts'
import { ConversionError } from '../../contract/failure.ts'
import type { FileClaim } from '../../contract/files.ts'
import type { Assignment } from '../../contract/job.ts'
import { sleep } from '../../util/clock.ts'
import { formatBytes, formatDuration } from '../../util/format.ts'
import type { CachedSource } from './cached-source.ts'
import { download, SourceChangedError } from './download.ts'
import type { SourceCache, WantedSource } from './source-cache.ts'
import { isRefused, type TransferParts } from './transfer-parts.ts'

/** Downloads of one source that may come out wrong: what was read while it changed is read again. */
const maxWrongDownloads = 3

export interface FetchOptions extends TransferParts {
  /** What tells the worker's master from another. */
  master: string
  /** Milliseconds for a whole download. */
  download_timeout_ms: number
  /** Milliseconds between two looks whether the source is still the same at the master while it comes. */
  source_look_ms: number
}

export interface FetchRequest extends FetchOptions {
  cache: SourceCache
  job: Assignment
  /** Where the source's result will be, and the room that was set aside for it. */
  place: Pick<WantedSource, 'result_path' | 'room'>
  on_percent: (percent: number) => void
}

/**
 * Fetches a job's source, or finds it in the cache; held there until it is let go.
 *
 * @throws ConversionError; DarkstreamError `conflict` when the claim was lost; the signal's reason
 */
export async function fetchSource(request: FetchRequest, signal: AbortSignal): Promise<CachedSource> {
  const { download_timeout_ms } = request
  const timeout = AbortSignal.timeout(download_timeout_ms)
  try {
    return await fetchWithin(request, AbortSignal.any([signal, timeout]))
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (timeout.aborted) {
      const limit = formatDuration(download_timeout_ms / 1000)
      throw stageError(`the source did not come within storage.download_timeout (${limit})`, 'retryable')
    }
    throw sourceError(error, request)
  }
}

async function fetchWithin(request: FetchRequest, signal: AbortSignal): Promise<CachedSource> {
  const { transfer, worker_id, master, cache, job, place, log } = request
  const claim = { job_id: job.id, worker_id, attempt: job.attempt }
  for (let tries = 1; ; tries++) {
    const { etag, size } = await persistently(request, () => transfer.describe(claim, signal), signal)
    const key = JSON.stringify([master, job.id, etag])
    const name = createHash('sha256').update(key).digest('hex').slice(0, 40)
    const source = await cache.hold({ name, size, ...place }, signal)
    try {
      if (source.is_whole) {
        log.info('the source is in the cache', { job_id: job.id })
        return source
      }
      if (await isFetched(request, claim, { path: source.part_path, etag, size }, signal)) {
        await source.keep()
        return source
      }
      await source.discard()
      if (tries >= maxWrongDownloads) throw stageError('the source came with another SHA-256 each time', 'retryable')
      source.release()
    } catch (error) {
      source.release()
      throw error
    }
  }
}

/** Whether all of it came, as it is at the master. */
async function isFetched(
  request: FetchRequest,
  claim: FileClaim,
  source: { path: string; etag: string; size: number },
  signal: AbortSignal,
): Promise<boolean> {
  const { log, on_percent } = request
  const { etag, size } = source
  const begun = performance.now()
  const on_bytes = (bytes: number) => on_percent((100 * bytes) / size)
  const [came, failed] = [new AbortController(), new AbortController()]
  const both = AbortSignal.any([signal, failed.signal])
  try {
    const coming = download({ ...request, ...source, claim, on_bytes, signal: both })
    const [sum, expected] = await Promise.all([
      coming.finally(() => came.abort()),
      sumAtMaster(request, { ...claim, etag }, came.signal, both),
    ]).catch(async (error: unknown) => {
      failed.abort(error)
      await coming.catch(() => {})
      throw error
    })
    const seconds = (performance.now() - begun) / 1000
    log.info(`the source came: ${formatBytes(size)} in ${formatDuration(seconds)}`, { job_id: claim.job_id })
    if (sum === expected) return true
    log.warn('the source came with another SHA-256 than it has at the master: once more', { job_id: claim.job_id })
    return false
  } catch (error) {
    if (!(error instanceof SourceChangedError) && !isDamaged(error)) throw error
    log.info(`${error.message} while it came: from its beginning again`, { job_id: claim.job_id })
    return false
  }
}

/** Asked for until the source has come, too: so it is heard soon that it changed meanwhile, or that the claim was lost. */
async function sumAtMaster(
  request: FetchRequest,
  source: FileClaim & { etag: string },
  came: AbortSignal,
  signal: AbortSignal,
): Promise<string> {
  const { api, source_look_ms } = request
  for (;;) {
    const isLast = came.aborted
    const { sha256 } = await persistently(request, () => api.sourceSum(source, signal), signal)
    if (sha256 !== null && isLast) return sha256
    if (sha256 !== null) await sleep(source_look_ms, AbortSignal.any([came, signal]))
    signal.throwIfAborted()
  }
}

/** Until the master is back; what it refuses is thrown. */
async function persistently<T>(
  { retry_pause_ms }: FetchRequest,
  ask: () => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      signal.throwIfAborted()
      if (isRefused(error) || isDamaged(error) || !(error instanceof DarkstreamError)) throw error
      await sleep(retry_pause_ms, signal)
    }
  }
}

/** The source changed while the master read it. */
function isDamaged(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && error.code === 'damaged'
}

/** A claim that was lost stays what it is; what else the master refuses is a failure, and so is a full disk. */
function sourceError(error: unknown, { cache }: FetchRequest): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return stageError(`the disk of the cache is full (${cache.path})`, 'retryable')
  if (!isRefused(error) || error.code === 'conflict') return error
  return stageError(error.message, error.code === 'not_found' ? 'permanent' : 'worker')
}

function stageError(message: string, failureClass: 'permanent' | 'retryable' | 'worker'): ConversionError {
  return new ConversionError(message, { class: failureClass, step: 'stage' })
}
