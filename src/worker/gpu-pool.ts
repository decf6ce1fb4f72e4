import { type Gpu, type GpuReport, type GpuState, type GpuUsage, pathText, type PathFigure } from '../contract/gpu.ts'
import type { GpuAccess, GpuFailure, GpuMode, GpuSlot, RankedPaths, RankQuestion } from '../pipeline/gpu-access.ts'
import type { Picture } from '../pipeline/picture.ts'
import { figureOf, rankPaths, sameSpeed } from '../pipeline/rank-paths.ts'
import type { PathCandidate } from '../pipeline/video-paths.ts'
import { Pulse, sleep } from '../util/clock.ts'
import { formatDuration } from '../util/format.ts'
import { afterFailure, type GpuHealth, healthy, isSetAside } from './gpu-health.ts'
import { PathFigures, type PathFiguresOptions } from './path-figures.ts'

/** What a pool is made of. */
export interface GpuPoolOptions extends PathFiguresOptions {
  mode: GpuMode
  /** In the order of choice. */
  gpus: readonly Gpu[]
  /** Why no GPU is used; null when one is. */
  problem: string | null
  /** Whether there seems to be a GPU at all. */
  has_gpu: boolean
  /** Conversions at a time on each. */
  slots: number
  usage: (id: string) => GpuUsage
  /** Milliseconds of a clock that never goes back. */
  now: () => number
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

/** Longer than any job waits; `sleep` takes no more. */
const untilWoken = 2 ** 31 - 1

/** Shares a worker's GPUs out among its slots, knows how fast each path is, and sets a failing GPU aside. */
export class GpuPool implements GpuAccess {
  readonly mode: GpuMode
  private readonly options: GpuPoolOptions
  private readonly seats: readonly Seat[]
  private readonly freed = new Pulse()
  private readonly figures: PathFigures
  private readonly pathHealth = new Map<string, GpuHealth>()

  constructor(options: GpuPoolOptions) {
    this.mode = options.mode
    this.options = options
    this.figures = new PathFigures(options)
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
    const figures = await this.figures.of(picture, settings, signal)
    const failing = this.lastResorts(candidates)
    const good = rankPaths(candidates, figures, framesOf(picture)).filter((path) => !failing.includes(path))
    const ranked = this.balanced(good, figures)
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
      has_gpu: this.options.has_gpu,
      figures: this.figures.all(),
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

  /** The same path on several GPUs as good as each other: the one with the fewest jobs first. */
  private balanced(ranked: readonly PathCandidate[], figures: readonly PathFigure[]): PathCandidate[] {
    const balanced: PathCandidate[] = []
    const active = (path: PathCandidate) => this.seats.find(({ gpu }) => gpu.id === path.gpu?.id)?.active ?? 0
    for (let [head, ...rest] = ranked; head !== undefined; [head, ...rest] = rest) {
      const best = head
      const twins = rest.filter((path) => areTwins(best, path, figures))
      balanced.push(...[best, ...twins].toSorted((a, b) => active(a) - active(b)))
      rest = rest.filter((path) => !twins.includes(path))
    }
    return balanced
  }
}

function keyOf({ gpu, decode, filter, encoder }: PathCandidate): string {
  return [gpu?.id, decode, filter, encoder].join(' ')
}

/** Whether two paths differ in nothing but the GPU, and the second is hardly slower; unmeasured, whether their GPUs are of a kind. */
function areTwins(best: PathCandidate, other: PathCandidate, figures: readonly PathFigure[]): boolean {
  const isSameWay = best.decode === other.decode && best.filter === other.filter && best.encoder === other.encoder
  if (!isSameWay || best.gpu === null || other.gpu === null) return false
  const [fastest, fps] = [figureOf(best, figures)?.fps, figureOf(other, figures)?.fps]
  if (fastest == null && fps == null) return best.gpu.type === other.gpu.type
  return fastest != null && fps != null && fps >= fastest * sameSpeed
}

function asideText(gpu: Gpu, { failures, reason, aside_until }: GpuHealth, now: number): string {
  const time = formatDuration((aside_until - now) / 1000)
  return `${gpu.name} is set aside for ${time} after ${failures} failures: ${reason}`
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
