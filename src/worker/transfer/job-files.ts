import { createHash } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { ConversionError } from '../../contract/failure.ts'
import type { FileClaim } from '../../contract/files.ts'
import type { Assignment } from '../../contract/job.ts'
import { type FetchOptions, fetchSource } from './fetch-source.ts'
import { PartLength } from './part-length.ts'
import type { SharedMount } from './shared-mount.ts'
import type { CachedSource, CacheRoom } from './cached-source.ts'
import { SourceCache, type SourceCacheOptions } from './source-cache.ts'
import { uploadResult } from './upload.ts'

/** Of the worker's scratch folder; what is in them outlives the process. */
export const sourcesFolderName = 'sources'
export const resultsFolderName = 'results'

/** Where a job's result goes on this host, and how its source comes. */
export interface JobPlace {
  /** Undefined where nobody looked: the worker is its master's own. */
  way: 'mount' | 'http' | undefined
  staging_path: string
  /** The source's path here; over HTTP it is fetched, or found in the cache, and held until it is let go. */
  source: (signal: AbortSignal, on_percent: (percent: number) => void) => Promise<string>
  release: () => void
}

export interface JobFilesOptions extends FetchOptions, Omit<SourceCacheOptions, 'folder'> {
  mode: 'auto' | 'mount' | 'http'
  mount: SharedMount
  /** This worker's scratch folder. */
  work_base: string
}

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
    if (why === undefined && mount.isProven()) log.info('the folder for results is the master’s own')
    else if (why === undefined) log.info('whether the storage is shared cannot be told: each job is looked at')
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
        const place = { result_path: staging_path, room }
        held = await fetchSource({ ...this.options, cache: this.cache, job, place, on_percent }, signal)
        return held.path
      },
      release: () => held?.release(),
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
  const remedy = 'mount its storage, set storage.path_map, or let storage.mode be auto'
  return new ConversionError(`the master's files are not here: ${why}; ${remedy}`, { class: 'worker', step: 'stage' })
}
