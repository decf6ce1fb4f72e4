import type { ConversionSettings } from '../contract/conversion.ts'
import type { Gpu, GpuReport, GpuState, GpuUsage, PathFigure } from '../contract/gpu.ts'
import type { GpuAccess, GpuFailure, GpuMode, GpuSlot, RankedPaths, RankQuestion } from '../pipeline/gpu-access.ts'
import type { SourceKind } from '../pipeline/prove/source-kind.ts'
import type { PathCandidate } from '../pipeline/plan/video/paths.ts'
import { Pulse, sleep } from '../util/clock.ts'
import { formatSetAside } from '../util/format.ts'
import type { Log } from '../util/log.ts'
import { afterFailure, healthy, isSetAside } from './gpu-health.ts'
import { GpuSeat } from './gpu-seat.ts'
import { PathRanking } from './path-ranking.ts'

/** What a pool is made of. */
export interface GpuPoolOptions {
  mode: GpuMode
  /** In the order of choice. */
  gpus: readonly Gpu[]
  /** Why no GPU is used; null when one is. */
  problem: string | null
  /** Whether there seems to be a GPU at all. */
  has_gpu: boolean
  /** Conversions at a time on each card. */
  slots: number
  /** What was measured before for one kind of source and target; undefined when nothing was. */
  recall: (kind: SourceKind, settings: ConversionSettings) => Promise<PathFigure[] | undefined>
  /** Measures every path that these GPUs have for one kind of source and target. */
  measure: (kind: SourceKind, settings: ConversionSettings, gpus: readonly Gpu[]) => Promise<PathFigure[]>
  usage: (id: string) => GpuUsage
  /** Milliseconds of a clock that never goes back. */
  now: () => number
  log: Log
}

/** Longer than any job waits; `sleep` takes no more. */
const untilWoken = 2 ** 31 - 1

/** Shares a worker's GPUs out among its slots, knows how fast each path is, and sets a failing GPU aside. */
export class GpuPool implements GpuAccess {
  readonly mode: GpuMode
  private readonly options: GpuPoolOptions
  private readonly seats: readonly GpuSeat[]
  private readonly freed = new Pulse()
  private readonly ranking: PathRanking
  /** Nobody else may decode meanwhile: drivers hang of it, and figures lie. */
  private isMeasuring = false

  constructor(options: GpuPoolOptions) {
    this.mode = options.mode
    this.options = options
    this.seats = options.gpus.map((gpu) => new GpuSeat(gpu))
    this.ranking = new PathRanking({
      ...options,
      load: ({ gpu }) => (gpu === null ? 0 : this.loadOf(gpu)),
      isFree: () => !this.isMeasuring && this.seats.every((seat) => !this.isAside(seat) && seat.hasRoom),
      measure: (kind, settings) => this.measure(kind, settings),
    })
  }

  usable(): { gpus: Gpu[]; reasons: string[] } {
    const now = this.options.now()
    const aside = this.seats.filter((seat) => this.isAside(seat))
    return {
      gpus: this.seats.filter((seat) => !aside.includes(seat)).map(({ gpu }) => gpu),
      reasons: [
        ...(this.options.problem === null || this.mode === 'off' ? [] : [this.options.problem]),
        ...aside.map(
          ({ gpu, health }) => `${gpu.name} is ${formatSetAside(asideFor(health.aside_until, now), health)}`,
        ),
      ],
    }
  }

  /** Why no job is to be claimed now, always in the same words: a GPU is required, and all of them are set aside. */
  whyIdle(): string | undefined {
    if (this.mode !== 'require' || this.usable().gpus.length > 0) return undefined
    const reasons = this.seats.map(({ gpu, health }) => `${gpu.name}: ${health.reason}`)
    return `ffmpeg.gpu is require, and every GPU is set aside for a while (${reasons.join('; ')})`
  }

  rank(question: RankQuestion, signal: AbortSignal): Promise<RankedPaths> {
    return this.ranking.rank(question, signal)
  }

  take(path: PathCandidate): GpuSlot | undefined {
    const seat = this.seats.find(({ gpu }) => gpu.id === path.gpu?.id)
    if (!seat || this.isAside(seat) || this.loadOf(seat.gpu) >= this.options.slots) return undefined
    const isDecoding = path.decode === 'vulkan'
    if (isDecoding && (this.isMeasuring || seat.freeDecodes === 0)) return undefined
    const place = seat.take(isDecoding)
    return {
      release: () => {
        place.release()
        this.freed.beat()
      },
      hung: () => {
        const { log } = this.options
        log.warn(`GPU ${seat.gpu.name} stood still and was given up for this job`)
        if (place.hung())
          log.warn(`GPU ${seat.gpu.name} hung while several were decoded on it: one at a time from now on`)
      },
      succeeded: () => {
        if (seat.health.pauses > 0) this.options.log.info(`GPU ${seat.gpu.name} works again`)
        seat.health = healthy
        this.ranking.succeeded(path)
      },
      failed: (failure) => this.fail(seat, path, failure),
    }
  }

  async whenFree(signal: AbortSignal): Promise<void> {
    const now = this.options.now()
    const returns = this.seats.filter((seat) => this.isAside(seat)).map(({ health }) => health.aside_until - now)
    await sleep(Math.min(untilWoken, ...returns), AbortSignal.any([signal, this.freed.next()]))
  }

  /** Whether Vulkan does a part of this worker's work now, and the name of its first GPU; empty without one. */
  summary(): { vulkan_available: boolean; gpu: string; gpu_usage: number | null } {
    const used = this.seats.flatMap(({ gpu }) => this.options.usage(gpu.id).usage ?? [])
    return {
      vulkan_available: this.usable().gpus.some(worksByVulkan),
      gpu: this.seats[0]?.gpu.name ?? '',
      gpu_usage: used.length === 0 ? null : Math.max(...used),
    }
  }

  /** All that is to be told of the GPUs at the moment. */
  report(): GpuReport {
    const { problem, has_gpu } = this.options
    const gpus = this.seats.map((seat) => this.stateOf(seat))
    return { mode: this.mode, gpus, problem, has_gpu, figures: this.ranking.figures.all() }
  }

  private stateOf(seat: GpuSeat): GpuState {
    const { gpu, active, decodeSlots, health } = seat
    const { failures, reason, aside_until } = health
    const seconds_left = asideFor(aside_until, this.options.now())
    return {
      ...gpu,
      ...this.options.usage(gpu.id),
      decode_slots: decodeSlots,
      slots: this.options.slots,
      active_jobs: active,
      set_aside: this.isAside(seat) ? { seconds_left, failures, reason } : null,
    }
  }

  private isAside({ health }: GpuSeat): boolean {
    return isSetAside(health, this.options.now())
  }

  /** Runs on the card, by whatever API each reaches it. */
  private loadOf(gpu: Gpu): number {
    const onCard = this.seats.filter((seat) => cardOf(seat.gpu) === cardOf(gpu))
    return onCard.reduce((sum, { active }) => sum + active, 0)
  }

  private fail(seat: GpuSeat, path: PathCandidate, { reason, is_of_gpu }: GpuFailure): void {
    const { log, now } = this.options
    this.ranking.failed(path, reason)
    if (is_of_gpu) seat.health = afterFailure(seat.health, reason, now())
    log.warn(`GPU ${seat.gpu.name}: ${reason}`, { failures_in_a_row: seat.health.failures })
    if (!is_of_gpu || !this.isAside(seat)) return
    log.warn(`GPU ${seat.gpu.name} is ${formatSetAside(asideFor(seat.health.aside_until, now()), seat.health)}`)
  }

  /** With as many decodes side by side as each GPU bears beside those that run. */
  private async measure(kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[]> {
    this.isMeasuring = true
    try {
      const gpus = this.seats.map(({ gpu, freeDecodes }) => ({ ...gpu, decode_slots: freeDecodes }))
      return await this.options.measure(kind, settings, gpus)
    } finally {
      this.isMeasuring = false
      this.freed.beat()
    }
  }
}

function worksByVulkan({ api, capabilities }: Gpu): boolean {
  return api === 'vulkan' && capabilities.some(({ proved }) => proved)
}

/** What tells one card from another, though several APIs may reach it. */
function cardOf({ pci_address, name }: Gpu): string {
  return pci_address ?? name
}

/** Seconds, rounded up. */
function asideFor(until: number, now: number): number {
  return Math.ceil((until - now) / 1000)
}
