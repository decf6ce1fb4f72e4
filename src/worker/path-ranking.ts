import { pathText, type PathFigure } from '../contract/gpu.ts'
import type { RankedPaths, RankQuestion } from '../pipeline/gpu-access.ts'
import type { Picture } from '../pipeline/plan/video/picture.ts'
import { figureOf, rankPaths, sameSpeed } from '../pipeline/plan/video/rank-paths.ts'
import type { PathCandidate } from '../pipeline/plan/video/paths.ts'
import { afterFailure, type GpuHealth, healthy, isSetAside } from './gpu-health.ts'
import { PathFigures, type PathFiguresOptions } from './path-figures.ts'

export interface PathRankingOptions extends PathFiguresOptions {
  /** Conversions that run on a path's GPU. */
  load: (path: PathCandidate) => number
  /** Milliseconds of a clock that never goes back. */
  now: () => number
}

/** Says which path is best for a conversion: by what was measured, by what failed of late, and by how busy each GPU is. */
export class PathRanking {
  readonly figures: PathFigures
  private readonly options: PathRankingOptions
  private readonly health = new Map<string, GpuHealth>()

  constructor(options: PathRankingOptions) {
    this.options = options
    this.figures = new PathFigures(options)
  }

  async rank({ picture, settings, candidates }: RankQuestion, signal: AbortSignal): Promise<RankedPaths> {
    const [first] = candidates
    if (candidates.length < 2 || first === undefined) return { candidates: [...candidates], reasons: [] }
    const figures = await this.figures.of(picture, settings, signal)
    const failing = candidates.filter((path) => isSetAside(this.healthOf(path), this.options.now()))
    const good = rankPaths(candidates, figures, framesOf(picture)).filter((path) => !failing.includes(path))
    const ranked = this.balanced(good, figures)
    return {
      // A path that failed some jobs in a row goes behind all others for a while, though its GPU's others may be good.
      candidates: [...ranked, ...failing],
      reasons: [
        ...failing.map((path) => this.healthOf(path).reason),
        ...slowerReasons(first, ranked[0] ?? first, figures),
      ],
    }
  }

  succeeded(path: PathCandidate): void {
    this.health.delete(keyOf(path))
  }

  failed(path: PathCandidate, reason: string): void {
    this.health.set(keyOf(path), afterFailure(this.healthOf(path), reason, this.options.now()))
  }

  private healthOf(path: PathCandidate): GpuHealth {
    return this.health.get(keyOf(path)) ?? healthy
  }

  /** The same path on several GPUs as good as each other: the one with the fewest jobs first. */
  private balanced(ranked: readonly PathCandidate[], figures: readonly PathFigure[]): PathCandidate[] {
    const { load } = this.options
    const balanced: PathCandidate[] = []
    for (let [head, ...rest] = ranked; head !== undefined; [head, ...rest] = rest) {
      const best = head
      const twins = rest.filter((path) => areTwins(best, path, figures))
      balanced.push(...[best, ...twins].toSorted((a, b) => load(a) - load(b)))
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

/** Why the path of first choice is not the one that is taken. */
function slowerReasons(first: PathCandidate, best: PathCandidate, figures: readonly PathFigure[]): string[] {
  if (first === best) return []
  const [ours, theirs] = [figureOf(best, figures), figureOf(first, figures)]
  if (ours?.fps == null) return []
  if (theirs === undefined) return [`${pathText(first)} was not measured, ${pathText(best)} was`]
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
