import type { ConversionSettings } from '../contract/conversion.ts'
import { pathText, type PathFigure } from '../contract/gpu.ts'
import type { Picture } from '../pipeline/plan/video/picture.ts'
import { sizeClassOf, type SourceKind } from '../pipeline/prove/source-kind.ts'
import { sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'

/** Where figures come from. */
export interface PathFiguresOptions {
  /** What was measured before for one kind of source and target; undefined when nothing was. */
  recall: (kind: SourceKind, settings: ConversionSettings) => Promise<PathFigure[] | undefined>
  /** Measures every path that there is for one kind of source and target. */
  measure: (kind: SourceKind, settings: ConversionSettings) => Promise<PathFigure[]>
  /** Whether nothing runs on the GPUs that a measurement would disturb, or be disturbed by. */
  isFree: () => boolean
  log: Log
}

/** Seconds of film of one kind before the paths for it are measured; until then the order of choice counts. */
const worthMeasuringSeconds = 600

/** Figures that a heartbeat tells of at most. */
const mostTold = 200

/** Longer than any job waits; `sleep` takes no more. */
const untilWoken = 2 ** 31 - 1

/** How fast each path is at each kind of source that came by. */
export class PathFigures {
  private readonly options: PathFiguresOptions
  /** By kind of source and target; a measurement under way is shared by all who wait for it. */
  private readonly measurements = new Map<string, Promise<PathFigure[]>>()
  private readonly known = new Map<string, PathFigure[]>()
  /** Of sources of each kind that came by before it was measured. */
  private readonly secondsSeen = new Map<string, number>()

  constructor(options: PathFiguresOptions) {
    this.options = options
  }

  /** What was measured, the newest of it where it is much. */
  all(): PathFigure[] {
    return [...this.known.values()].flat().slice(-mostTold)
  }

  /** What is known of the paths for one source; where that is nothing yet, it is measured when it is worth the time. */
  async of({ source, colour }: Picture, settings: ConversionSettings, signal: AbortSignal): Promise<PathFigure[]> {
    const { codec, preset, target_resolution: box } = settings
    const kind = {
      codec: source.codec,
      bit_depth: source.bit_depth,
      size_class: sizeClassOf(source),
      ...(colour.tone_map !== null && { is_tone_mapped: true as const }),
    }
    const key = JSON.stringify([kind, codec, preset, box])
    const known = this.known.get(key) ?? (await this.recall(key, kind, settings))
    if (known || !this.isWorthMeasuring(key, source.duration_seconds)) return known ?? []
    const measuring = this.measurements.get(key) ?? this.begin(key, kind, settings)
    if (measuring === undefined) return []
    const waiting = new AbortController()
    // One who is cancelled need not wait; the others still want to know.
    const cancelled = sleep(untilWoken, AbortSignal.any([signal, waiting.signal])).then(() => [])
    return Promise.race([measuring, cancelled]).finally(() => waiting.abort())
  }

  /** Undefined when it would disturb what runs; a later job asks again. */
  private begin(key: string, kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[]> | undefined {
    if (!this.options.isFree()) return undefined
    const measuring = this.measure(key, kind, settings)
    this.measurements.set(key, measuring)
    return measuring
  }

  /** What an earlier run has measured. */
  private async recall(key: string, kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[] | undefined> {
    const figures = await this.options.recall(kind, settings)
    if (figures) this.known.set(key, figures)
    return figures
  }

  /** A measurement takes seconds a path: nothing for a film, but longer than a handful of clips. */
  private isWorthMeasuring(key: string, seconds: number | null): boolean {
    const seen = (this.secondsSeen.get(key) ?? 0) + (seconds ?? worthMeasuringSeconds)
    this.secondsSeen.set(key, seen)
    return seen >= worthMeasuringSeconds
  }

  private async measure(key: string, kind: SourceKind, settings: ConversionSettings): Promise<PathFigure[]> {
    const { log } = this.options
    log.info(
      `measuring which path is best for ${kind.codec} of ${kind.bit_depth} bits, ${kind.size_class}, to ${settings.codec}${kind.is_tone_mapped ? ', tone-mapped' : ''}`,
    )
    try {
      const figures = await this.options.measure(kind, settings)
      this.known.set(key, figures)
      for (const figure of figures) log.info(figureText(figure))
      return figures
    } catch (error) {
      // Then the order of choice counts, until the next start: what failed once would hold up every job.
      this.known.set(key, [])
      log.warn(`the paths could not be measured: ${(error as Error).message}`)
      return []
    } finally {
      this.measurements.delete(key)
    }
  }
}

function figureText(figure: PathFigure): string {
  if (figure.fps === null) return `${pathText(figure)}: ${figure.reason ?? 'not measured'}`
  return `${pathText(figure)}: ${figure.fps.toFixed(1)} fps each, ${figure.processes} side by side`
}
