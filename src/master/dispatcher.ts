import type { Job } from '../contract/job.ts'
import type { Store } from '../queue/store.ts'
import { type Clock, Pulse, sleep } from '../util/clock.ts'
import type { OnJobEvent } from './events.ts'
import { outputState, whyNotWritten } from './output-state.ts'
import { type ProfilesOfPath, ruleOf } from './path-profiles.ts'
import { checkSource, unmountedPauseMs } from './source-check.ts'

export interface DispatcherOptions {
  store: Store
  root_path: string
  output_base: string
  /** Whether a file that is not ours may be replaced by a result. */
  overwrite: boolean
  /** Milliseconds for which a source must not have changed before it is converted. */
  settle_time_ms: number
  lease_ms: number
  /** What may hold for a source path. */
  profilesOf: ProfilesOfPath
  clock: Clock
  onEvent: OnJobEvent
}

/** Who asks for a job; a worker of ours with an id for the request, so that the same request gets the same job. */
export interface Asker {
  worker_id: string
  request_id: string | null
}

/** Hands out pending jobs, and holds askers until there is one. */
export class Dispatcher {
  private readonly options: DispatcherOptions
  private readonly pulse = new Pulse()
  private stopped = false
  private waiting = 0
  /** Milliseconds UTC; nothing is handed out before, because the storage was found unmounted. */
  private pausedUntil = 0

  constructor(options: DispatcherOptions) {
    this.options = options
  }

  /** The next job for a worker, as soon as there is one; undefined after `wait_ms`, on the signal, and once stopped. */
  async next(asker: Asker, wait_ms: number, signal?: AbortSignal): Promise<Job | undefined> {
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
    while (!this.stopped && !signal?.aborted && this.options.clock() >= this.pausedUntil) {
      const job = await this.options.store.claim({ ...asker, lease_ms: this.options.lease_ms })
      if (!job) return undefined
      const fit = await this.fit(job)
      if (fit && (asker.request_id !== null || (await this.options.store.yieldOutput(claimOf(fit))))) {
        this.options.onEvent({ type: 'claimed', job: fit })
        return fit
      }
    }
    return undefined
  }

  /** Nobody is there to hear the answer. */
  private async takeBack(job: Job): Promise<undefined> {
    await this.putAside(job, 0)
    this.wake()
  }

  /** The job as it may be worked on now; undefined when it was failed, skipped or put aside. */
  private async fit(job: Job): Promise<Job | undefined> {
    const { store, clock, settle_time_ms, profilesOf } = this.options
    // New sources are skipped when they are found; this is one of before the rule.
    const rule = ruleOf(profilesOf(job.source_path))
    if (rule?.skip_reason) return this.skip(job, rule.profile, rule.skip_reason)
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

  private async checkOutput(job: Job): Promise<Job | undefined> {
    const { store, overwrite } = this.options
    const state = await outputState(job, await store.publication(job.id), this.options)
    if (state === 'free' || state === 'ours' || (state === 'foreign' && overwrite)) return job
    await this.fail(job, whyNotWritten(state, job.output_path))
    return undefined
  }

  /** Back to pending, for a while not to be handed out: a claim that no worker ever had. */
  private async putAside(job: Job, pause_ms: number): Promise<void> {
    await this.options.store.putBack(claimOf(job), this.options.clock() + pause_ms)
  }

  private async skip(job: Job, profile: string, reason: string): Promise<undefined> {
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
