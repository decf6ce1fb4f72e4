import { join } from 'node:path'
import type { DarkstreamError } from '../contract/error.ts'
import type { Assignment } from '../contract/job.ts'
import { jittered, Pulse, sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { loadMeter } from './load.ts'
import type { GpuPool } from './gpu-pool.ts'
import { farewellMs, isReplaced, persist } from './persist.ts'
import { deliver } from './deliver.ts'
import { heartbeatOf, heldClaims } from './heartbeat.ts'
import { ObstacleWatch } from './obstacle-watch.ts'
import { Outbox, outboxFolderName } from './outbox.ts'
import { type RunContext, runJob, stopNow } from './run-job.ts'
import { Space } from './space.ts'
import type { CacheRoom } from './transfer/cached-source.ts'
import { PassedOver } from './transfer/passed-over.ts'

/** Seconds for which the master holds a request for a job when there is none. */
const claimWaitSeconds = 25

/** Milliseconds between two heartbeats at least. */
const newsPauseMs = 1000

export interface WorkerOptions extends Omit<
  RunContext,
  'onEncoded' | 'onStarted' | 'turn' | 'room' | 'draining' | 'gpus' | 'outbox' | 'space'
> {
  gpus: GpuPool
  /** What tells the worker's master from another that it may be given later, such as its address. */
  master: string
  /** Of this process; a new one at each start. */
  boot_id: string
  hostname: string
  /** Encodes at a time. */
  concurrency: number
  /** Whether the source of the next job is fetched while one encodes; not where it need not be fetched. */
  prefetch?: boolean
  heartbeat_interval_ms: number
  /** Where the shared storage is mounted; null when that is not to be checked. */
  mount_path: string | null
  /** Bytes that must be free for cache and results before a job is claimed; 0 checks nothing. */
  min_free: number
  /** Milliseconds, from anywhere; the system's unless told. */
  now?: () => number
}

/** What a job brings from its slot. */
type Steps = Pick<RunContext, 'turn' | 'onEncoded' | 'onStarted' | 'room'>

/** A job on its way through a slot. */
interface Slot {
  /** Its encode is over, one way or the other. */
  encoded: Promise<void>
  /** Nothing of it is left to do. */
  ended: Promise<void>
}

/** A job, and the room for its source. */
interface Claimed {
  job: Assignment
  room: CacheRoom | undefined
}

/** A worker's life: registers, fills its slots with jobs, beats, and leaves in good order. */
export class Worker {
  private readonly options: WorkerOptions
  private readonly log: Log
  private readonly claims = new Set<Assignment>()
  /** Ends the asking for more jobs. */
  private readonly draining = new AbortController()
  /** Ends the running jobs as well. */
  private readonly stopping = new AbortController()
  /** Ends the heartbeats, last of all. */
  private readonly ended = new AbortController()
  /** That a claim came or went. */
  private readonly news = new Pulse()
  private fault: DarkstreamError | undefined
  private readonly passedOver: PassedOver
  private readonly context: Omit<RunContext, keyof Steps>
  private readonly obstacles: ObstacleWatch

  constructor(options: WorkerOptions) {
    this.options = options
    this.log = options.log
    const outbox = new Outbox({ ...options, folder: join(options.work_base, outboxFolderName) })
    const space = new Space({ ...options, spareBytes: async () => options.files?.spareBytes() ?? 0 })
    this.obstacles = new ObstacleWatch({ ...options, space })
    this.passedOver = new PassedOver(options.now)
    this.context = { ...options, outbox, space, draining: this.draining.signal }
  }

  /**
   * Works until it is drained or stopped.
   *
   * @throws DarkstreamError when the master refuses this worker, such as `worker_replaced`
   */
  async run(): Promise<void> {
    const { api, worker_id, boot_id, concurrency } = this.options
    const { outbox } = this.context
    const measure = loadMeter()
    await outbox.read()
    const kept = outbox.all
    await this.options.files?.start(kept.map(({ staging_path }) => staging_path))
    const registered = await this.register(measure)
    if (!registered) return
    if (registered.released > 0) this.log.info(`gave back ${registered.released} jobs of an earlier run`)
    const beating = this.beat(measure, registered.lease_ms)
    await Promise.all([
      ...kept.map((entry) => deliver(entry, this.context, this.stopping.signal)),
      ...Array.from({ length: concurrency }, () => this.fillSlot()),
    ])
    this.ended.abort()
    await beating
    // Leaving gives back what is in the worker's name; what waits in the outbox is to stay its own.
    if (outbox.all.length === 0) {
      await api
        .leave({ worker_id, boot_id }, AbortSignal.timeout(farewellMs))
        .catch((error: unknown) => this.log.debug(`left without a word: ${String(error)}`))
    }
    if (this.fault) throw this.fault
  }

  /** Takes no more jobs; `run` ends when the running ones have. */
  drain(): void {
    this.draining.abort()
  }

  /** Ends the running jobs at once and gives them back. */
  stop(): void {
    this.draining.abort()
    this.stopping.abort(stopNow)
  }

  /** Jobs in hand: being encoded, checked or handed in. */
  get activeJobs(): number {
    return this.claims.size
  }

  private async register(measure: ReturnType<typeof loadMeter>) {
    const { api, boot_id, retry_pause_ms } = this.options
    return persist(() => api.register({ ...this.heartbeat(measure), boot_id }, this.draining.signal), {
      first_pause_ms: retry_pause_ms,
      log: this.log,
      what: 'register with the master',
      signal: this.draining.signal,
    }).catch((error: unknown) => {
      if (this.draining.signal.aborted) return undefined
      throw error
    })
  }

  /**
   * One slot: claims and encodes one job after the other. While it encodes, the result before is still being checked and
   * handed in, and the next job's source is on its way, so that no encoder waits for a disk, the network or the master;
   * one of each at a time, so that nothing piles up.
   */
  private async fillSlot(): Promise<void> {
    let before: Slot = { encoded: Promise.resolve(), ended: Promise.resolve() }
    let handingIn = Promise.resolve()
    while (!this.draining.signal.aborted) {
      const claimed = await this.claim()
      if (!claimed) continue
      const { isFetching, ...slot } = this.runInTurn(claimed, before.encoded)
      if (await isFetching) await handingIn
      else await Promise.all([slot.encoded, before.ended])
      handingIn = before.ended
      before = slot
    }
    await Promise.all([handingIn, before.ended])
  }

  /** Runs a claim whose encode has its turn after another; it is given back when the worker is to end before. */
  private runInTurn({ job, room }: Claimed, turn: Promise<void>) {
    const { draining, stopping, options } = this
    const [encoded, started] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()]
    const givenBack = new AbortController()
    const giveBack = () => givenBack.abort(stopNow)
    void turn.then(() => draining.signal.removeEventListener('abort', giveBack))
    draining.signal.addEventListener('abort', giveBack, { once: true })
    const ended = this.runClaim(job, AbortSignal.any([stopping.signal, givenBack.signal]), {
      turn,
      room,
      onEncoded: encoded.resolve,
      onStarted: (way) => started.resolve(way === 'http' && options.prefetch === true),
    })
    return {
      encoded: Promise.race([encoded.promise, ended]),
      ended,
      /** Whether the next one may be fetched while this one encodes; false where it ended without. */
      isFetching: Promise.race([started.promise, ended.then(() => false)]),
    }
  }

  private async runClaim(job: Assignment, signal: AbortSignal, steps: Steps): Promise<void> {
    this.claims.add(job)
    this.news.beat()
    try {
      await runJob(job, { ...this.context, ...steps }, signal)
    } catch (error) {
      this.log.error(`unexpected: ${(error as Error).stack ?? String(error)}`, { job_id: job.id, attempt: job.attempt })
    } finally {
      this.claims.delete(job)
      this.news.beat()
    }
  }

  /** A job, or undefined after a while: no work, no storage, no master. Room for its source is set aside before it is asked for. */
  private async claim(): Promise<Claimed | undefined> {
    const { files, retry_pause_ms } = this.options
    const { signal } = this.draining
    if ((await this.obstacles.look()) !== undefined) {
      await sleep(jittered(retry_pause_ms), signal)
      return undefined
    }
    let room: CacheRoom | undefined
    try {
      room = await files?.offer(signal, this.passedOver.owed_bytes)
      const job = await this.ask(room)
      // What has no room beside nothing either waits for no others to end.
      if (job) this.passedOver.note(room?.limits.is_cache_free ? null : job.passed_over_bytes)
      if (job) room?.take(job.source_size)
      else room?.release()
      return job ? { job, room } : undefined
    } catch (error) {
      room?.release()
      if (signal.aborted) return undefined
      if (isReplaced(error)) this.fail(error)
      else this.log.error(`cannot ask for a job: ${(error as Error).message}`)
      await sleep(jittered(retry_pause_ms), signal)
      return undefined
    }
  }

  /** Asks for a job, by one request id until the master has answered; anew when there is more room for it meanwhile. */
  private async ask(room: CacheRoom | undefined): Promise<Assignment | null> {
    const { api, worker_id, boot_id, retry_pause_ms } = this.options
    const request = { worker_id, boot_id, request_id: crypto.randomUUID(), wait: claimWaitSeconds }
    const patience = { first_pause_ms: retry_pause_ms, log: this.log, what: 'ask for a job' }
    for (;;) {
      const signal = AbortSignal.any([this.draining.signal, ...(room ? [room.more] : [])])
      const askedAt = performance.now()
      try {
        const job = await persist(() => api.claim({ ...request, ...room?.limits }, signal), { ...patience, signal })
        // A master that answers "nothing" at once (it is stopping, its storage is away) is not to be asked in a circle.
        if (!job && performance.now() - askedAt < 1000) await sleep(jittered(retry_pause_ms), this.draining.signal)
        return job
      } catch (error) {
        if (this.draining.signal.aborted || !signal.aborted) throw error
        await room?.widen()
      }
    }
  }

  /** Regularly, and soon after a claim came or went. */
  private async beat(measure: ReturnType<typeof loadMeter>, lease_ms: number): Promise<void> {
    const interval = Math.min(this.options.heartbeat_interval_ms, lease_ms / 3)
    for (let news = this.news.next(); ;) {
      const pause = Math.min(newsPauseMs, interval * 0.5)
      await sleep(pause, this.ended.signal)
      await sleep(jittered(interval * 0.8 - pause), AbortSignal.any([this.ended.signal, news]))
      if (this.ended.signal.aborted) return
      // Taken before the claims are read, so that what changes from here on is told by the next.
      news = this.news.next()
      try {
        await this.options.api.heartbeat(this.heartbeat(measure), this.ended.signal)
      } catch (error) {
        if (this.ended.signal.aborted) return
        if (isReplaced(error)) this.fail(error)
        else this.log.debug(`no heartbeat: ${(error as Error).message}`)
      }
    }
  }

  private heartbeat(measure: ReturnType<typeof loadMeter>) {
    const claims = heldClaims(this.claims, this.context.outbox)
    return { ...heartbeatOf({ ...this.options, claims, obstacle: this.obstacles.current }), ...measure() }
  }

  /** The master wants nothing of this worker any more: stop, and say why at the end of `run`. */
  private fail(error: DarkstreamError): void {
    this.fault ??= error
    this.stop()
  }
}
