import type { PathFigure } from '../../../contract/gpu.ts'
import type { PathCandidate } from './paths.ts'

/** Speeds as near as this to each other are the same: measurements are no better. */
export const sameSpeed = 0.9

/**
 * Pure: the paths, best first. Those that were measured come as `rankFigures` has them, those without a figure follow in
 * their order, those that failed come last.
 */
export function rankPaths(
  candidates: readonly PathCandidate[],
  figures: readonly PathFigure[],
  frames: number | null = null,
): PathCandidate[] {
  const found = candidates.map((path) => ({ path, figure: figureOf(path, figures) }))
  const order = rankFigures(
    found.flatMap(({ figure }) => figure ?? []),
    frames,
  )
  const unknown = found.flatMap(({ path, figure }) => (figure === undefined ? [path] : []))
  const ranked = order.map((figure) => found.find((other) => other.figure === figure))
  const [measured, failed] = [
    ranked.filter((each) => each?.figure?.fps != null),
    ranked.filter((each) => each?.figure?.fps === null),
  ]
  const pathsOf = (list: typeof ranked) => list.flatMap((each) => each?.path ?? [])
  return [...pathsOf(measured), ...unknown, ...pathsOf(failed)]
}

/**
 * Pure: figures of one kind of source and result, the best first: by the speed of one process over so many frames, its
 * start counted in, or without a number of frames by its speed alone; of those within 10 % of the fastest by what they
 * leave of the CPU to others, and so on down. What failed comes last.
 */
export function rankFigures(figures: readonly PathFigure[], frames: number | null = null): PathFigure[] {
  const speed = (figure: PathFigure) => speedOver(figure, frames)
  let left = figures.filter(({ fps }) => fps !== null).toSorted((a, b) => speed(b) - speed(a))
  const ranked: PathFigure[] = []
  while (left[0] !== undefined) {
    const least = speed(left[0]) * sameSpeed
    const equals = left.filter((figure) => speed(figure) >= least)
    ranked.push(...equals.toSorted((a, b) => costOf(a) - costOf(b)))
    left = left.slice(equals.length)
  }
  return [...ranked, ...figures.filter(({ fps }) => fps === null)]
}

/** The figure of a path; undefined when it was not measured. */
export function figureOf(path: PathCandidate, figures: readonly PathFigure[]): PathFigure | undefined {
  return figures.find(
    (figure) =>
      figure.decode === path.decode &&
      figure.filter === path.filter &&
      figure.encoder === path.encoder &&
      figure.gpu_id === (path.gpu?.id ?? null),
  )
}

function speedOver({ fps, start_ms }: PathFigure, frames: number | null): number {
  if (fps === null || fps === 0) return 0
  return frames === null || frames === 0 ? fps : frames / ((start_ms ?? 0) / 1000 + frames / fps)
}

/** Finite, since the difference of two infinities is no number. */
function costOf({ cpu_ms_per_frame: cost }: PathFigure): number {
  return cost ?? Number.MAX_VALUE
}
