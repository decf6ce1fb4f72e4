import { lstat } from 'node:fs/promises'
import type { Job } from '../contract/job.ts'
import type { Store } from '../queue/store.ts'
import { type Clock, Pulse, sleep } from '../util/clock.ts'
import type { OnJobEvent } from './events.ts'
import { checkSource } from './source-check.ts'

/** Milliseconds before a job is offered again whose storage is not mounted. */
const unmountedPauseMs = 10_000

export interface DispatcherOptions {
  store: Store
  root_path: string
  /** Whether a file that is not ours may be replaced by a result. */
  overwrite: boolean
  /** Milliseconds for which a source must not have changed before it is converted. */
  settle_time_ms: number
  lease_ms: number
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

  constructor(options: DispatcherOptions) {
    this.options = options
  }

  /** The next job for a worker, as soon as there is one; undefined after `wait_ms`, on the signal, and once stopped. */
  async next(asker: Asker, wait_ms: number, signal?: AbortSignal): Promise<Job | undefined> {
    const deadline = this.options.clock() + wait_ms
    while (!this.stopped && !signal?.aborted) {
      const wake = this.pulse.next()
      const job = await this.take(asker)
      if (job) return signal?.aborted ? await this.takeBack(job, asker) : job
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
  private async take(asker: Asker): Promise<Job | undefined> {
    for (;;) {
      const job = await this.options.store.claim({ ...asker, lease_ms: this.options.lease_ms })
      if (!job) return undefined
      const fit = await this.fit(job)
      if (fit === 'unmounted') return undefined
      if (fit) {
        this.options.onEvent({ type: 'claimed', job: fit })
        return fit
      }
    }
  }

  /** Nobody is there to hear the answer. A worker of ours asks again with the same request id, a foreign one does not. */
  private async takeBack(job: Job, asker: Asker): Promise<undefined> {
    if (asker.request_id !== null) return
    await this.putAside(job, 0, 'its asker went away')
    this.wake()
  }

  /** The job as it may be worked on now; undefined when it was failed or put aside. */
  private async fit(job: Job): Promise<Job | 'unmounted' | undefined> {
    const { store, clock, settle_time_ms } = this.options
    const source = await checkSource(job, this.options.root_path)
    switch (source.state) {
      case 'unmounted':
        await this.putAside(job, unmountedPauseMs, 'the storage is not mounted')
        return 'unmounted'
      case 'missing':
        await store.forgetSource(job.id)
        await this.fail(job, 'the source is gone: it was moved or deleted after it was scanned')
        return undefined
      case 'changed': {
        const { source_size, source_mtime_ms } = source
        await store.updateSource(job.id, { source_size, source_mtime_ms })
        if (Math.abs(clock() - source_mtime_ms) < settle_time_ms) {
          await this.putAside(job, settle_time_ms, 'the source is still being written')
          return undefined
        }
        return this.checkOutput({ ...job, source_size, source_mtime_ms })
      }
      case 'unchanged':
        return this.checkOutput(job)
    }
  }

  private async checkOutput(job: Job): Promise<Job | undefined> {
    const { store, overwrite } = this.options
    if (overwrite || !(await exists(job.output_path)) || (await store.hasPublished(job.id))) return job
    await this.fail(
      job,
      `there is already a file at ${job.output_path} that was not made here: move it away, or set conversion.overwrite: true`,
    )
    return undefined
  }

  private async putAside(job: Job, pause_ms: number, detail: string): Promise<void> {
    const released = await this.options.store.release(claimOf(job), this.options.clock() + pause_ms)
    if (released) this.options.onEvent({ type: 'released', job: released, detail })
  }

  private async fail(job: Job, error_message: string): Promise<void> {
    const report = { class: 'permanent', step: 'stage', command: [], stderr_tail: '', exit_code: null } as const
    const failed = await this.options.store.fail(claimOf(job), {
      error_message,
      report: { ...report, command: [] },
      retry_at_ms: null,
    })
    if (failed) this.options.onEvent({ type: 'failed', job: failed })
  }
}

function claimOf(job: Job) {
  return { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}
