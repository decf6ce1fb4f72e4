import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import { ConversionError } from '../../contract/failure.ts'
import type { FileClaim } from '../../contract/files.ts'
import type { Assignment } from '../../contract/job.ts'
import { sleep } from '../../util/clock.ts'
import { formatBytes, formatDuration } from '../../util/format.ts'
import { download, SourceChangedError } from './download.ts'
import { PartLength } from './part-length.ts'
import type { SharedMount } from './shared-mount.ts'
import type { CachedSource, CacheRoom } from './cached-source.ts'
import { SourceCache, type SourceCacheOptions, type WantedSource } from './source-cache.ts'
import { isRefused, type TransferParts } from './transfer-parts.ts'
import { uploadResult } from './upload.ts'

/** Of the worker's scratch folder; what is in them outlives the process. */
export const sourcesFolderName = 'sources'
export const resultsFolderName = 'results'

/** Downloads of one source that may come out wrong: what was read while it changed is read again. */
const maxWrongDownloads = 3

/** Where a job's result goes on this host, and how its source comes. */
export interface JobPlace {
  /** Undefined where nobody looked: the worker is its master's own. */
  way: 'mount' | 'http' | undefined
  staging_path: string
  /** The source's path here; over HTTP it is fetched, or found in the cache, and held until it is let go. */
  source: (signal: AbortSignal, on_percent: (percent: number) => void) => Promise<string>
  release: () => void
}

export interface JobFilesOptions extends TransferParts, Omit<SourceCacheOptions, 'folder'> {
  mode: 'auto' | 'mount' | 'http'
  mount: SharedMount
  /** What tells the worker's master from another. */
  master: string
  /** This worker's scratch folder. */
  work_base: string
  /** Milliseconds for a whole download. */
  download_timeout_ms: number
  /** Milliseconds between two looks whether the source is still the same at the master while it comes. */
  source_look_ms: number
}

/** Where a source's result will be, and the room that was set aside for it. */
type Place = Pick<WantedSource, 'result_path' | 'room'>

/** Gets a worker the files of its jobs: from the shared storage where that is the master's own, else over HTTP. */
export class JobFiles {
  private readonly options: JobFilesOptions
  private readonly cache: SourceCache
  private readonly results: string
  private readonly partLength = new PartLength()

  constructor(options: JobFilesOptions) {
    this.options = options
    this.cache = new SourceCache({ ...options, folder: join(options.work_base, sourcesFolderName) })
    this.results = join(options.work_base, resultsFolderName)
  }

  /** Looks at the shared storage before the first job, so that what is found is told. */
  async start(keptResults: readonly string[]): Promise<void> {
    const { mode, mount, log } = this.options
    await this.removeOthers(keptResults)
    if (mode === 'http') return log.info('sources and results go over HTTP (storage.mode)')
    const why = await mount.whyOtherOutput().catch((error: Error) => error.message)
    if (why === undefined) log.info('the folder for results is the master’s own')
    else log[mode === 'mount' ? 'warn' : 'info'](`no shared storage: ${why}`)
  }

  /**
   * Room for the source of a job that is to be asked for, as soon as there is any, or so many bytes; undefined where the master's results are
   * before this host, since then its sources are as a rule: one that is not waits for room when it has been claimed. Throws
   * the signal's reason.
   */
  async offer(signal: AbortSignal, least_bytes: number): Promise<CacheRoom | undefined> {
    return (await this.areFetched()) ? this.cache.offer(signal, least_bytes) : undefined
  }

  /** Bytes that sources of no use at the moment take in the scratch folder. */
  async spareBytes(): Promise<number> {
    return this.cache.spareBytes()
  }

  /**
   * Chooses the way of a job's files; over HTTP, its source gets the room that was set aside, which else is free again.
   *
   * @throws ConversionError of class `worker` when it must be the mount, and is not
   */
  async choose(job: Assignment, room?: CacheRoom): Promise<JobPlace> {
    const { mode, mount, log } = this.options
    const local = mode === 'http' ? { why: 'storage.mode is http' } : await mount.find(job)
    if (!('why' in local)) {
      const { source_path, staging_path } = local
      room?.release()
      return { way: 'mount', staging_path, source: async () => source_path, release: () => {} }
    }
    if (mode === 'mount') throw notShared(local.why)
    log.debug(`over HTTP: ${local.why}`, { job_id: job.id, attempt: job.attempt })
    return this.overHttp(job, room)
  }

  /** A job failed, perhaps for its files' sake. */
  doubt(): void {
    this.options.mount.doubt()
  }

  /** Brings a result to the master. */
  async upload(claim: FileClaim, path: string, size: number, signal: AbortSignal): Promise<void> {
    await uploadResult({ ...this.options, part_length: this.partLength, claim, path, size, signal })
  }

  private async areFetched(): Promise<boolean> {
    const { mode, mount } = this.options
    if (mode !== 'auto') return mode === 'http'
    // A master that is away is asked again when there is a job of it.
    return (await mount.whyOtherOutput().catch((error: Error) => error.message)) !== undefined
  }

  private overHttp(job: Assignment, room: CacheRoom | undefined): JobPlace {
    const name = `${createHash('sha256').update(job.id).digest('hex').slice(0, 32)}.${job.attempt}`
    let held: CachedSource | undefined
    const staging_path = join(this.results, name, `result${extname(job.staging_path)}`)
    return {
      way: 'http',
      staging_path,
      source: async (signal, on_percent) => {
        held = await this.fetch(job, { result_path: staging_path, room }, signal, on_percent)
        return held.path
      },
      release: () => held?.release(),
    }
  }

  private async fetch(job: Assignment, place: Place, signal: AbortSignal, on_percent: (percent: number) => void) {
    const { download_timeout_ms } = this.options
    const timeout = AbortSignal.timeout(download_timeout_ms)
    try {
      return await this.fetchWithin(job, place, AbortSignal.any([signal, timeout]), on_percent)
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (timeout.aborted) {
        const limit = formatDuration(download_timeout_ms / 1000)
        throw stageError(`the source did not come within storage.download_timeout (${limit})`, 'retryable')
      }
      throw sourceError(error)
    }
  }

  private async fetchWithin(
    job: Assignment,
    wanted: Place,
    signal: AbortSignal,
    on_percent: (percent: number) => void,
  ) {
    const { transfer, worker_id, master, log } = this.options
    const claim = { job_id: job.id, worker_id, attempt: job.attempt }
    for (let tries = 1; ; tries++) {
      const { etag, size } = await this.persistently(() => transfer.describe(claim, signal), signal)
      const name = createHash('sha256')
        .update(JSON.stringify([master, job.id, etag]))
        .digest('hex')
        .slice(0, 40)
      const place = await this.cache.hold({ name, size, ...wanted }, signal)
      try {
        if (place.is_whole) log.info('the source is in the cache', { job_id: job.id })
        else if (await this.isFetched(claim, { ...place, etag, size }, signal, on_percent)) await place.keep()
        else {
          await place.discard()
          if (tries >= maxWrongDownloads)
            throw stageError('the source came with another SHA-256 each time', 'retryable')
          place.release()
          continue
        }
        return place
      } catch (error) {
        place.release()
        throw error
      }
    }
  }

  /** Whether all of it came, as it is at the master. */
  private async isFetched(
    claim: FileClaim,
    { part_path: path, etag, size }: { part_path: string; etag: string; size: number },
    signal: AbortSignal,
    on_percent: (percent: number) => void,
  ): Promise<boolean> {
    const { log } = this.options
    const begun = performance.now()
    const on_bytes = (bytes: number) => on_percent((100 * bytes) / size)
    const [came, failed] = [new AbortController(), new AbortController()]
    const both = AbortSignal.any([signal, failed.signal])
    try {
      const coming = download({ ...this.options, claim, path, etag, size, on_bytes, signal: both })
      const [sum, expected] = await Promise.all([
        coming.finally(() => came.abort()),
        this.sumAtMaster(claim, etag, { came: came.signal, signal: both }),
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
      if (!(error instanceof SourceChangedError) && !(error instanceof DarkstreamError && error.code === 'damaged')) {
        throw error
      }
      log.info(`${error.message} while it came: from its beginning again`, { job_id: claim.job_id })
      return false
    }
  }

  /** Asked for until the source has come, too: so it is heard soon that it changed meanwhile, or that the claim was lost. */
  private async sumAtMaster(
    claim: FileClaim,
    etag: string,
    { came, signal }: { came: AbortSignal; signal: AbortSignal },
  ): Promise<string> {
    const { api, source_look_ms } = this.options
    for (;;) {
      const isLast = came.aborted
      const { sha256 } = await this.persistently(() => api.sourceSum({ ...claim, etag }, signal), signal)
      if (sha256 !== null && isLast) return sha256
      if (sha256 !== null) await sleep(source_look_ms, AbortSignal.any([came, signal]))
      signal.throwIfAborted()
    }
  }

  /** Until the master is back; what it refuses is thrown. */
  private async persistently<T>(ask: () => Promise<T>, signal: AbortSignal): Promise<T> {
    for (;;) {
      try {
        return await ask()
      } catch (error) {
        signal.throwIfAborted()
        const isFinal = isRefused(error) || (error instanceof DarkstreamError && error.code === 'damaged')
        if (isFinal || !(error instanceof DarkstreamError)) throw error
        await sleep(this.options.retry_pause_ms, signal)
      }
    }
  }

  /** Results of which the outbox does not speak are of attempts that a crash ended. */
  private async removeOthers(kept: readonly string[]): Promise<void> {
    const names = new Set(kept.map((path) => basename(dirname(path))))
    for (const name of await readdir(this.results).catch(() => [])) {
      if (!names.has(name)) await rm(join(this.results, name), { recursive: true, force: true }).catch(() => {})
    }
  }
}

function notShared(why: string): ConversionError {
  return stageError(
    `the master's files are not here: ${why}; mount its storage, set storage.path_map, or let storage.mode be auto`,
    'worker',
  )
}

/** A claim that was lost stays what it is; what else the master refuses is a failure. */
function sourceError(error: unknown): unknown {
  if (!isRefused(error) || error.code === 'conflict') return error
  return stageError(error.message, error.code === 'not_found' ? 'permanent' : 'worker')
}

function stageError(message: string, failureClass: 'permanent' | 'retryable' | 'worker'): ConversionError {
  return new ConversionError(message, { class: failureClass, step: 'stage' })
}
