import { join, resolve } from 'node:path'
import type { StatsReport } from '../../contract/report.ts'
import type { FoundSource } from '../../queue/store.ts'
import { type Clock, systemClock, timestamp } from '../../util/clock.ts'
import { companionOf, isLeftAlone, isVideoName } from './names.ts'
import type { ScannerOptions } from './options.ts'
import { type Pass, lookAgain, lookAtYoung, scanAll } from './passes.ts'
import { type Place, findPlace } from './place.ts'
import { Settler } from './settle.ts'
import { Tally, cannotRead, maxProblems } from './tally.ts'
import { Wake } from './wake.ts'
import { FolderWatch } from './watch.ts'

/** How soon a root that gives nothing, or a store that refuses, is tried again. */
const defaultRetryMs = 10_000
/** From the first change to the look: the create, the writes and the rename of one copy make one look. */
const defaultChangeDelayMs = 300
/** Between two looks at young files, so that those that mature one by one are looked at together. */
const minYoungRestMs = 20

/** Finds the sources below a folder and tells the store of them, from `start` to `stop`. It never removes a job. */
export class Scanner {
  readonly #options: ScannerOptions
  readonly #clock: Clock
  readonly #retry_ms: number
  readonly #life = new AbortController()
  readonly #settler: Settler
  readonly #scanWake = new Wake()
  readonly #youngWake = new Wake()
  readonly #adding = new Set<Promise<unknown>>()
  readonly #waiting = new Set<() => void>()
  #watch: FolderWatch | undefined
  #scanning: Promise<void> | undefined
  /** Of the newest whole scan; before there was one, of the one that runs. */
  #tally: Tally
  #completed_at: string | null = null
  /** Why the root gives nothing, a sentence; null when it does. */
  #trouble: string | null = null

  constructor(options: ScannerOptions) {
    const { root_path, output_base, clock = systemClock, root_retry_ms = defaultRetryMs } = options
    this.#options = { ...options, root_path: resolve(root_path), output_base: resolve(output_base) }
    this.#clock = clock
    this.#retry_ms = root_retry_ms
    this.#settler = new Settler(options.settle_time_ms, clock, () => this.#youngWake.wake())
    this.#tally = new Tally(options.log)
  }

  /** Begins the first whole scan in the background and goes on by interval and by change. */
  start(): void {
    // First, so that the first scan sets up the watchers as it goes.
    if (this.#options.watch) void this.#lookAtChanges()
    void this.#scanAtIntervals()
    void this.#lookAtYoung()
  }

  /** Ends every scan, timer and watcher; resolves when the store is no longer used. It cannot be started again. */
  async stop(): Promise<void> {
    this.#life.abort()
    this.#watch?.close()
    this.#announce()
    // Not the walk: on a dead network mount it may hang in a read for ever, and it touches nothing of ours any more.
    await Promise.allSettled(this.#adding)
  }

  /** Scans everything once; joins a whole scan that is running. Rejects with what the store rejects with. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scanOnce().finally(() => {
      this.#scanning = undefined
    })
    return this.#scanning
  }

  /**
   * Resolves when a whole scan is over and no young file is left to wait for, when the signal aborts, or at `stop`. While
   * the root is missing no scan is over.
   */
  async whenSettled(signal?: AbortSignal): Promise<void> {
    if (this.#isSettled() || signal?.aborted) return
    await new Promise<void>((resume) => {
      const end = () => {
        signal?.removeEventListener('abort', end)
        this.#waiting.delete(end)
        resume()
      }
      this.#waiting.add(end)
      signal?.addEventListener('abort', end, { once: true })
    })
  }

  /** What `stats` shows of it. */
  report(): StatsReport['scan'] {
    return {
      running: this.#scanning !== undefined,
      last_completed_at: this.#completed_at,
      files_seen: this.#tally.files_seen,
      settling: this.#settler.size,
      problems: [this.#trouble ?? [], this.#tally.problems].flat().slice(0, maxProblems),
    }
  }

  async #scanAtIntervals(): Promise<void> {
    const interval = this.#options.scan_interval_ms || Infinity
    while (!this.#life.signal.aborted) {
      const isOver = await this.#unharmed(this.scan())
      const rest = isOver && this.#trouble === null ? interval : Math.min(interval, this.#retry_ms)
      await this.#scanWake.rest(rest, this.#life.signal)
    }
  }

  async #lookAtYoung(): Promise<void> {
    let isOver = true
    while (!this.#life.signal.aborted) {
      const rest = Math.max(this.#settler.untilDue(), isOver ? minYoungRestMs : this.#retry_ms)
      await this.#youngWake.rest(rest, this.#life.signal)
      if (this.#settler.size === 0) continue
      const place = await this.#findPlace()
      isOver = place !== undefined && (await this.#unharmed(lookAtYoung(this.#pass(place, this.#tally))))
      if (!isOver) this.#scanWake.wake()
      this.#announce()
    }
  }

  async #lookAtChanges(): Promise<void> {
    const watch = this.#openWatch()
    while (!this.#life.signal.aborted) {
      for (const [path, names] of await watch.next(this.#life.signal)) {
        const depth = path === this.#options.root_path ? 0 : watch.depthOf(path)
        // Gone meanwhile; the folder above it has changed too and is looked at for what came instead.
        if (depth === undefined) continue
        const place = await this.#findPlace()
        const folder = { path, depth, is_link: false }
        const isOver = place && (await this.#unharmed(lookAgain(folder, names, this.#pass(place, this.#tally))))
        if (!isOver) this.#scanWake.wake()
      }
    }
  }

  async #scanOnce(): Promise<void> {
    const tally = new Tally(this.#options.log)
    if (this.#completed_at === null) this.#tally = tally
    const place = await this.#findPlace()
    if (!place) return
    const { is_empty } = await scanAll(this.#pass(place, tally))
    // A storage that was unmounted meanwhile has not been scanned.
    if (this.#life.signal.aborted || !(await this.#findPlace())) return
    tally.close()
    this.#tally = tally
    this.#completed_at = timestamp(this.#clock())
    this.#note(is_empty ? `the source folder ${this.#options.root_path} holds nothing; is its storage mounted?` : null)
    this.#announce()
  }

  #pass(place: Place, tally: Tally): Pass {
    const add = (sources: readonly FoundSource[]) => this.#add(sources)
    const { signal } = this.#life
    return { options: this.#options, place, tally, settler: this.#settler, watch: this.#watch, signal, add }
  }

  async #add(sources: readonly FoundSource[]): Promise<void> {
    const adding = this.#options.store.addSources(sources)
    this.#adding.add(adding)
    try {
      const { added, changed } = await adding
      if (added + changed > 0) this.#options.on_added?.(added + changed)
    } finally {
      this.#adding.delete(adding)
    }
  }

  async #findPlace(): Promise<Place | undefined> {
    try {
      return await findPlace(this.#options)
    } catch (error) {
      this.#note(`${cannotRead(`the source folder ${this.#options.root_path}`, error)}; is its storage mounted?`)
      return undefined
    }
  }

  /** Says loudly what is wrong with the root, once until it changes. */
  #note(trouble: string | null): void {
    if (trouble === this.#trouble) return
    if (trouble !== null) this.#options.log.error(`${trouble} No job is dropped; it is looked at again.`)
    else this.#options.log.info(`the source folder ${this.#options.root_path} is there again`)
    this.#trouble = trouble
  }

  #openWatch(): FolderWatch {
    const { video_extensions, log, change_delay_ms = defaultChangeDelayMs } = this.#options
    this.#watch = new FolderWatch({
      // A young file is looked at when its time has come: each write to it says nothing new.
      isOfInterest: (folder, name, event) =>
        event === 'rename'
          ? !isLeftAlone(name) || companionOf(name) !== undefined
          : isVideoName(name, video_extensions) && !this.#settler.has(join(folder, name)),
      delay_ms: change_delay_ms,
      onFailure: (sentence) => log.warn(`${sentence}; new files are found by the periodic scan only`),
    })
    return this.#watch
  }

  #isSettled(): boolean {
    return this.#life.signal.aborted || (this.#completed_at !== null && this.#settler.size === 0)
  }

  #announce(): void {
    if (this.#isSettled()) for (const resume of this.#waiting) resume()
  }

  /** Whether the work was done; when not, the log says why. The loops go on: what was missed is looked at again. */
  async #unharmed(work: Promise<void>): Promise<boolean> {
    try {
      await work
      return true
    } catch (error) {
      this.#options.log.error(`the scan ended early: ${error instanceof Error ? error.message : String(error)}`)
      return false
    }
  }
}
