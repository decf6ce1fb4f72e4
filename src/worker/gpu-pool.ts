import type { ConversionSettings } from '../contract/conversion.ts'
import { type Gpu, type GpuReport, type GpuState, type GpuUsage, pathText, type PathFigure } from '../contract/gpu.ts'
import type { GpuAccess, GpuFailure, GpuMode, GpuSlot, RankedPaths, RankQuestion } from '../pipeline/gpu-access.ts'
import type { Picture } from '../pipeline/picture.ts'
import { sizeClassOf, type SourceKind } from '../pipeline/prove/calibrate.ts'
import { figureOf, rankPaths } from '../pipeline/rank-paths.ts'
import type { PathCandidate } from '../pipeline/video-paths.ts'
import { Pulse, sleep } from '../util/clock.ts'
import { formatDuration } from '../util/format.ts'
import type { Log } from '../util/log.ts'
import { afterFailure, type GpuHealth, healthy, isSetAside } from './gpu-health.ts'

/** What a pool is made of. */
export interface GpuPoolOptions {
  mode: GpuMode
  /** In the order of choice. */
  gpus: readonly Gpu[]
  /** Why no GPU is used; null when one is. */
  problem: string | null
  /** Conversions at a time on each. */
  slots: number
  /** What was measured before for one kind of source and target; undefined when nothing was. */
  recall: (kind: SourceKind, settings: ConversionSettings) => Promise<PathFigure[] | undefined>
  /** Measures every path that there is for one kind of source and target. */
  measure: (kind: SourceKind, settings: ConversionSettings) => Promise<PathFigure[]>
  usage: (id: string) => GpuUsage
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  log: Log
}

/** What goes on on one GPU. */
interface Seat {
  gpu: Gpu
  active: number
  decoding: number
  /** Falls to one for good when a decode hangs beside others. */
  decodeSlots: number
  health: GpuHealth
}

/** Seconds of film of one kind before the paths for it are measured; until then the order of choice counts. */
const worthMeasuringSeconds = 60

/** Longer than any job waits; `sleep` takes no more. */
const untilWoken = 2 ** 31 - 1

/** Shares a worker's GPUs out among its slots, knows how fast each path is, and sets a failing GPU aside. */
export class GpuPool implements GpuAccess {
  readonly mode: GpuMode
  private readonly options: GpuPoolOptions
  private readonly seats: readonly Seat[]
  private readonly freed = new Pulse()
  /** By kind of source and target; a measurement under way is shared by all who wait for it. */
  private readonly measurements = new Map<string, Promise<PathFigure[]>>()
  private readonly figures = new Map<string, PathFigure[]>()
  private readonly pathHealth = new Map<string, GpuHealth>()
  /** Of sources of each kind that came by before it was measured. */
  private readonly secondsSeen = new Map<string, number>()

  constructor(options: GpuPoolOptions) {
    this.mode = options.mode
    this.options = options
    this.seats = options.gpus.map((gpu) => ({
      gpu,
      active: 0,
      decoding: 0,
      decodeSlots: gpu.decode_slots,
      health: healthy,
    }))
  }

  usable(): { gpus: Gpu[]; reasons: string[] } {
    const now = this.options.now()
    const aside = this.seats.filter(({ health }) => isSetAside(health, now))
    return {
      gpus: this.seats.filter((seat) => !aside.includes(seat)).map(({ gpu }) => gpu),
      reasons: [
        ...(this.options.problem === null || this.mode === 'off' ? [] : [this.options.problem]),
        ...aside.map(({ gpu, health }) => asideText(gpu, health, now)),
      ],
    }
  }

  /** Why no job is to be claimed now: a GPU is required, and all of them are set aside. */
  whyIdle(): string | undefined {
    if (this.mode !== 'require' || this.usable().gpus.length > 0) return undefined
    return `ffmpeg.gpu is require, and ${this.usable().reasons.join('; ')}`
  }

  async rank({ picture, settings, candidates }: RankQuestion, signal: AbortSignal): Promise<RankedPaths> {
    const [first] = candidates
    if (candidates.length < 2 || first === undefined) return { candidates: [...candidates], reasons: [] }
    const figures = await this.figuresFor(picture, settings, signal)
    const failing = this.lastResorts(candidates)
    const ranked = rankPaths(candidates, figures, framesOf(picture)).filter((path) => !failing.includes(path))
    return {
      candidates: [...ranked, ...failing],
      reasons: [
        ...failing.map((path) => this.pathHealth.get(keyOf(path))?.reason ?? ''),
        ...slowerReasons(first, ranked[0] ?? first, figures),
      ],
    }
  }

  take(path: PathCandidate): GpuSlot | undefined {
    const seat = this.seats.find(({ gpu }) => gpu.id === path.gpu?.id)
    if (!seat || isSetAside(seat.health, this.options.now()) || seat.active >= this.options.slots) return undefined
    const isDecoding = path.decode === 'vulkan'
    if (isDecoding && seat.decoding >= seat.decodeSlots) return undefined
    const wasShared = isDecoding && seat.decoding > 0
    seat.active++
    if (isDecoding) seat.decoding++
    let isHeld = true
    return {
      release: () => {
        if (!isHeld) return
        isHeld = false
        seat.active--
        if (isDecoding) seat.decoding--
        this.freed.beat()
      },
      succeeded: () => {
        seat.health = healthy
        this.pathHealth.delete(keyOf(path))
      },
      failed: (failure) => this.fail(seat, path, failure, wasShared || seat.decoding > 0),
    }
  }

  async whenFree(signal: AbortSignal): Promise<void> {
    const now = this.options.now()
    const returns = this.seats.filter(({ health }) => isSetAside(health, now)).map(({ health }) => health.aside_until)
    const wait = Math.min(untilWoken, ...returns.map((until) => until - now))
    await sleep(wait, AbortSignal.any([signal, this.freed.next()]))
  }

  /** Whether Vulkan does a part of this worker's work now, and the name of its first GPU; empty without one. */
  summary(): { vulkan_available: boolean; gpu: string; gpu_usage: number | null } {
    const now = this.options.now()
    const working = this.seats.filter(({ health }) => !isSetAside(health, now)).map(({ gpu }) => gpu)
    const used = this.seats.flatMap(({ gpu }) => this.options.usage(gpu.id).usage ?? [])
    return {
      vulkan_available: working.some((gpu) => gpu.api === 'vulkan' && gpu.capabilities.some(({ proved }) => proved)),
      gpu: this.seats[0]?.gpu.name ?? '',
      gpu_usage: used.length === 0 ? null : Math.max(...used),
    }
  }

  /** All that is to be told of the GPUs at the moment. */
  report(): GpuReport {
    return {
      mode: this.mode,
      gpus: this.seats.map((seat) => this.stateOf(seat)),
      problem: this.options.problem,
      figures: [...this.figures.values()].flat(),
    }
  }

  private stateOf({ gpu, active, decodeSlots, health }: Seat): GpuState {
    const now = this.options.now()
    const { failures, reason, aside_until } = health
    return {
      ...gpu,
      ...this.options.usage(gpu.id),
      decode_slots: decodeSlots,
      slots: this.options.slots,
      active_jobs: active,
      set_aside: isSetAside(health, now)
        ? { seconds_left: Math.ceil((aside_until - now) / 1000), failures, reason }
        : null,
    }
  }

  private fail(seat: Seat, path: PathCandidate, failure: GpuFailure, wasShared: boolean): void {
    const { log, now } = this.options
    const { reason, is_hang, is_of_gpu } = failure
    this.pathHealth.set(keyOf(path), afterFailure(this.pathHealth.get(keyOf(path)) ?? healthy, reason, now()))
    if (is_of_gpu) seat.health = afterFailure(seat.health, reason, now())
    log.warn(`GPU ${seat.gpu.name}: ${reason}`, { failures_in_a_row: seat.health.failures })
    if (path.decode === 'vulkan' && is_hang && wasShared && seat.decodeSlots > 1) {
      seat.decodeSlots = 1
      log.warn(`GPU ${seat.gpu.name} hung while several were decoded on it: one at a time from now on`)
    }
    if (is_of_gpu && isSetAside(seat.health, now())) log.warn(`GPU ${asideText(seat.gpu, seat.health, now())}`)
  }

  /** Paths that failed some jobs in a row go behind all others for a while, though the GPU's other paths may be good. */
  private lastResorts(candidates: readonly PathCandidate[]): PathCandidate[] {
    const now = this.options.now()
    return candidates.filter((path) => isSetAside(this.pathHealth.get(keyOf(path)) ?? healthy, now))
  }

  private async figuresFor(
    { source }: Picture,
    settings: ConversionSettings,
    signal: AbortSignal,
  ): Promise<PathFigure[]> {
    const { codec, preset, target_resolution: box } = settings
    const kind = { codec: source.codec, bit_depth: source.bit_depth, size_class: sizeClassOf(source) }
    const key = JSON.stringify([kind, codec, preset, box])
    const known = this.figures.get(key) ?? (await this.recall(key, kind, settings))
    if (known || !this.isWorthMeasuring(key, source.duration_seconds)) return known ?? []
    const measuring = this.measurements.get(key) ?? this.measure(key, kind, settings)
    this.measurements.set(key, measuring)
    const waiting = new AbortController()
    // One who is cancelled need not wait; the others still want to know.
    const cancelled = sleep(untilWoken, AbortSignal.any([signal, waiting.signal])).then(() => [])
    return Promise.race([measuring, cancelled]).finally(() => waiting.abort())
  }

  /** What an earlier run has measured. */
  private async recall(key: string, kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[] | undefined> {
    const figures = await this.options.recall(kind, settings)
    if (figures) this.figures.set(key, figures)
    return figures
  }

  /** A measurement takes half a minute at most: no time for a film, but longer than a handful of clips. */
  private isWorthMeasuring(key: string, seconds: number | null): boolean {
    const seen = (this.secondsSeen.get(key) ?? 0) + (seconds ?? worthMeasuringSeconds)
    this.secondsSeen.set(key, seen)
    return seen >= worthMeasuringSeconds
  }

  private async measure(key: string, kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[]> {
    const { log } = this.options
    log.info(
      `measuring which path is best for ${kind.codec} of ${kind.bit_depth} bits, ${kind.size_class}, to ${settings.codec}`,
    )
    try {
      const figures = await this.options.measure(kind, settings)
      this.figures.set(key, figures)
      for (const figure of figures) log.info(figureText(figure))
      return figures
    } catch (error) {
      // Without figures the order of choice counts; the next job asks again.
      this.measurements.delete(key)
      log.warn(`the paths could not be measured: ${(error as Error).message}`)
      return []
    }
  }
}

function keyOf({ gpu, decode, filter, encoder }: PathCandidate): string {
  return [gpu?.id, decode, filter, encoder].join(' ')
}

function asideText(gpu: Gpu, { failures, reason, aside_until }: GpuHealth, now: number): string {
  const time = formatDuration((aside_until - now) / 1000)
  return `${gpu.name} is set aside for ${time} after ${failures} failures: ${reason}`
}

function figureText(figure: PathFigure): string {
  if (figure.fps === null) return `${pathText(figure)}: ${figure.reason ?? 'not measured'}`
  return `${pathText(figure)}: ${figure.fps.toFixed(1)} fps each, ${figure.processes} side by side`
}

/** Why the path of first choice is not the one that is taken. */
function slowerReasons(first: PathCandidate, best: PathCandidate, figures: readonly PathFigure[]): string[] {
  if (first === best) return []
  const [ours, theirs] = [figureOf(best, figures), figureOf(first, figures)]
  if (theirs === undefined || ours?.fps == null) return []
  if (theirs.fps === null) return [`${pathText(first)} failed when it was measured: ${theirs.reason ?? 'no reason'}`]
  return [
    `${pathText(first)} was measured at ${theirs.fps.toFixed(1)} fps, ${pathText(best)} at ${ours.fps.toFixed(1)} fps`,
  ]
}

/** Frames of a source; null when they cannot be told. */
function framesOf({ source }: Picture): number | null {
  const { duration_seconds: seconds, average_rate: rate } = source
  return seconds === null || rate === null ? null : seconds * rate
}
