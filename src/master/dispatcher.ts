import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { ConversionSettings } from '../contract/conversion.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Job } from '../contract/job.ts'
import type { Store } from '../queue/store.ts'
import { type Clock, Pulse, sleep } from '../util/clock.ts'
import type { OnJobEvent } from './events.ts'
import { outputState, whyNotWritten } from './output-state.ts'
import { outputCandidates } from './outputs.ts'
import type { ReplaceOptions } from './parts.ts'
import { freePlaces, isPlaceFit, whyNotReplaced } from './replace/fitness.ts'
import { type ProfilesOfPath, ruleOf } from './path-profiles.ts'
import { containerOf } from './settings-of.ts'
import type { Reach } from './reach.ts'
import { checkSource, unmountedPauseMs } from './source-check.ts'

export interface DispatcherOptions {
  store: Store
  root_path: string
  output_base: string
  settings: Pick<ConversionSettings, 'container'>
  /** Whether a file that is not ours may be replaced by a result. */
  overwrite: boolean
  replace: ReplaceOptions
  /** Milliseconds for which a source must not have changed before it is converted. */
  settle_time_ms: number
  lease_ms: number
  reach: Reach
  /** What may hold for a source path. */
  profilesOf: ProfilesOfPath
  clock: Clock
  onEvent: OnJobEvent
}

const unbounded = Number.POSITIVE_INFINITY

/** Who asks for a job; a worker of ours with an id for the request, so that the same request gets the same job. */
export interface Asker {
  worker_id: string
  request_id: string | null
  /** The largest source that it has room for; any, unless told. */
  max_source_bytes?: number | undefined
  /** Whether it takes a larger one than fits, where there is no other and nobody else takes that. */
  is_cache_free?: boolean
}

/** Hands out pending jobs, and holds askers until there is one. */
export class Dispatcher {
  private readonly options: DispatcherOptions
  private readonly pulse = new Pulse()
  /** The newest asking of each request. */
  private readonly asking = new Map<string, { askedAnew: AbortController; ended: Promise<void> }>()
  private stopped = false
  private waiting = 0
  /** Milliseconds UTC; nothing is handed out before, because the storage was found unmounted. */
  private pausedUntil = 0

  constructor(options: DispatcherOptions) {
    this.options = options
  }

  /**
   * The next job for a worker, as soon as there is one; undefined after `wait_ms`, on the signal, once stopped, and once the
   * same request is made again: who hung up to ask anew has not heard the first answer.
   */
  async next(asker: Asker, wait_ms: number, signal?: AbortSignal): Promise<Job | undefined> {
    if (asker.request_id === null) return this.untilTaken(asker, wait_ms, signal)
    const request = JSON.stringify([asker.worker_id, asker.request_id])
    const earlier = this.asking.get(request)
    const askedAnew = new AbortController()
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const asking = { askedAnew, ended }
    this.asking.set(request, asking)
    earlier?.askedAnew.abort()
    // Else it could take back what this one is about to be given.
    await earlier?.ended
    try {
      const signals = [askedAnew.signal, ...(signal ? [signal] : [])]
      return await this.untilTaken(asker, wait_ms, AbortSignal.any(signals))
    } finally {
      end()
      if (this.asking.get(request) === asking) this.asking.delete(request)
    }
  }

  private async untilTaken(asker: Asker, wait_ms: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadline = this.options.clock() + wait_ms
    while (!this.stopped && !signal?.aborted) {
      const wake = this.pulse.next()
      const job = await this.take(asker, signal)
      if (job) return signal?.aborted ? await this.takeBack(job) : job
      const left = deadline - this.options.clock()
      if (left <= 0) return undefined
      this.waiting++
      await sleep(left, signal ? AbortSignal.any([wake, signal]) : wake)
      this.waiting--
    }
    return undefined
  }

  /** Whether anybody waits for work. */
  get hasWaiters(): boolean {
    return this.waiting > 0
  }

  /** Lets all who wait look again: something may have become pending. */
  wake(): void {
    this.pulse.beat()
  }

  /** Sends all who wait home. */
  stop(): void {
    this.stopped = true
    this.pulse.beat()
  }

  /** Claims until a job is fit to be worked on, putting aside or failing those that are not. */
  private async take(asker: Asker, signal?: AbortSignal): Promise<Job | undefined> {
    // A foreign worker writes to the output path itself: in replace mode that would be over a source, and unchecked.
    if (asker.request_id === null && this.options.replace.enabled) return undefined
    while (!this.stopped && !signal?.aborted && this.options.clock() >= this.pausedUntil) {
      const job = await this.claim(asker)
      if (!job) return undefined
      const fit = await this.fit(job)
      if (fit && (fit.source_size ?? 0) > Math.max(job.source_size ?? 0, asker.max_source_bytes ?? unbounded)) {
        // It has grown since it was scanned; its size is known now.
        await this.putAside(fit, 0)
        continue
      }
      if (fit && (asker.request_id !== null || (await this.options.store.yieldOutput(claimOf(fit))))) {
        this.options.onEvent({ type: 'claimed', job: fit })
        return fit
      }
    }
    return undefined
  }

  private async claim({ worker_id, request_id, max_source_bytes, is_cache_free }: Asker): Promise<Job | undefined> {
    const { store, lease_ms, reach } = this.options
    const claim = { worker_id, request_id, lease_ms }
    const job = await store.claim({ ...claim, max_source_bytes })
    if (job || max_source_bytes === undefined || !is_cache_free) return job
    const first = await store.nextFor(worker_id)
    return first && reach.isTakenByOther(worker_id, first.source_size ?? 0) ? undefined : store.claim(claim)
  }

  /** Nobody is there to hear the answer. */
  private async takeBack(job: Job): Promise<undefined> {
    await this.putAside(job, 0)
    this.wake()
  }

  /** The job as it may be worked on now; undefined when it was failed, skipped or put aside. */
  private async fit(job: Job): Promise<Job | undefined> {
    const { store, clock, settle_time_ms, profilesOf } = this.options
    // A scan skips them by the dozen; this is one of before the rule, of which no scan has come by since.
    const rule = ruleOf(profilesOf(job.source_path))
    if (rule?.skip_reason) {
      await this.skip(job, rule.skip_reason, rule.profile)
      // There may be many of them, and nothing here lets others have a turn.
      await setImmediate()
      return undefined
    }
    const source = await checkSource(job, this.options.root_path)
    switch (source.state) {
      case 'unmounted':
        this.pausedUntil = clock() + unmountedPauseMs
        await this.putAside(job, unmountedPauseMs)
        return undefined
      case 'missing':
        await store.forgetSource(job.id)
        await this.fail(job, 'the source is gone: it was moved or deleted after it was scanned')
        return undefined
      case 'changed': {
        const { source_size, source_mtime_ms } = source
        await store.updateSource(job.id, { source_size, source_mtime_ms })
        if (Math.abs(clock() - source_mtime_ms) < settle_time_ms) {
          await this.putAside(job, settle_time_ms)
          return undefined
        }
        return this.checkOutput({ ...job, source_size, source_mtime_ms, source_facts: null })
      }
      case 'unchanged':
        return this.checkOutput(job)
    }
  }

  private async checkOutput(claimed: Job): Promise<Job | undefined> {
    const { store, overwrite, replace, root_path, output_base } = this.options
    if (replace.enabled) return this.checkReplaceable(claimed)
    // Beside its source: it was added in replace mode.
    const isBeside = dirname(claimed.output_path) === dirname(claimed.source_path)
    const places = () =>
      outputCandidates(claimed.source_path, root_path, output_base, containerOf(this.options.settings, claimed))
    const job = isBeside ? await this.place(claimed, places()) : claimed
    if (!job) return undefined
    const state = await outputState(job, await store.publication(job.id), this.options)
    if (state === 'free' || state === 'ours' || (state === 'foreign' && overwrite)) return job
    await this.fail(job, whyNotWritten(state, job.output_path))
    return undefined
  }

  /** Whether the job's result could take its source's place, before any work is done for it. */
  private async checkReplaceable(job: Job): Promise<Job | undefined> {
    const { store, root_path, replace } = this.options
    try {
      const unfit = await whyNotReplaced(job, { root_path, hard_links: replace.hard_links })
      if (unfit && 'skip' in unfit) await this.skip(job, unfit.skip)
      else if (unfit) await this.fail(job, unfit.fail)
      if (unfit) return undefined
      // The original's jobs have none yet: what is converted now is what is replaced.
      const { size, mtimeMs } = await lstat(job.source_path)
      const found = { source_size: size, source_mtime_ms: Math.floor(mtimeMs) }
      if (job.source_mtime_ms === null) await store.updateSource(job.id, found)
      const known = job.source_mtime_ms === null ? { ...job, ...found } : job
      if (await isPlaceFit(known)) return known
      return await this.place(known, await freePlaces(known.source_path, containerOf(this.options.settings, known)))
    } catch (error) {
      if (error instanceof DarkstreamError) throw error
      await this.fail(job, `it cannot be looked at: ${(error as Error).message}`)
      return undefined
    }
  }

  /** Gives the job another output path; failed where there is none. */
  private async place(job: Job, output_paths: readonly string[]): Promise<Job | undefined> {
    const placed = await this.options.store.placeOutput(claimOf(job), output_paths)
    if (!placed) await this.fail(job, 'every name that its result could have is taken')
    return placed
  }

  /** Back to pending, for a while not to be handed out: a claim that no worker ever had. */
  private async putAside(job: Job, pause_ms: number): Promise<void> {
    await this.options.store.putBack(claimOf(job), this.options.clock() + pause_ms)
  }

  /** No worker need look at it. */
  private async skip(job: Job, reason: string, profile: string | null = null): Promise<void> {
    const known = { source_facts: null, settings: null, ran_on: null, notes: [] }
    const skipped = await this.options.store.skip(claimOf(job), { ...known, profile, reason })
    if (skipped) this.options.onEvent({ type: 'skipped', job: skipped })
  }

  private async fail(job: Job, error_message: string): Promise<void> {
    const failed = await this.options.store.fail(claimOf(job), {
      error_message,
      report: { class: 'permanent', step: 'stage', command: [], stderr_tail: '', exit_code: null },
      retry_at_ms: null,
      ran_on: null,
    })
    if (failed) this.options.onEvent({ type: 'failed', job: failed })
  }
}

function claimOf(job: Job) {
  return { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
}
