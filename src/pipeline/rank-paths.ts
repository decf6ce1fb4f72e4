import type { PathFigure } from '../contract/gpu.ts'
import type { PathCandidate } from './video-paths.ts'

/** Of which figures those that count are, by their fields. */
export type FigureKind = Partial<
  Pick<PathFigure, 'source_codec' | 'bit_depth' | 'size_class' | 'codec'> & {
    /** Conversions side by side; of several figures of a path the nearest counts. */
    processes: number
  }
>

/** Speeds as near as this to each other are the same: measurements are no better. */
const sameSpeed = 0.9

/**
 * Pure: the paths, best first. Those that were measured come as `rankFigures` has them, those without a figure follow in
 * their order, those that failed come last.
 */
export function rankPaths(
  candidates: readonly PathCandidate[],
  figures: readonly PathFigure[],
  kind: FigureKind = {},
): PathCandidate[] {
  const found = candidates.map((path) => ({ path, figure: figureOf(path, figures, kind) }))
  const unknown = found.flatMap(({ path, figure }) => (figure === undefined ? [path] : []))
  const failed = found.flatMap(({ path, figure }) => (figure?.fps === null ? [path] : []))
  const measured = found.flatMap(({ path, figure }) =>
    figure === undefined || figure.fps === null ? [] : [{ path, figure }],
  )
  const order = rankFigures(measured.map(({ figure }) => figure))
  const byMerit = measured.toSorted((a, b) => order.indexOf(a.figure) - order.indexOf(b.figure))
  return [...byMerit.map(({ path }) => path), ...unknown, ...failed]
}

/**
 * Pure: figures of one kind of source and result, the best first: by the speed of one process, and of those within 10 %
 * of the fastest by what they leave of the CPU to others, and so on down; what failed comes last.
 */
export function rankFigures(figures: readonly PathFigure[]): PathFigure[] {
  let left = figures.filter(({ fps }) => fps !== null).toSorted((a, b) => (b.fps ?? 0) - (a.fps ?? 0))
  const ranked: PathFigure[] = []
  while (left.length > 0) {
    const least = (left[0]?.fps ?? 0) * sameSpeed
    const equals = left.filter(({ fps }) => (fps ?? 0) >= least)
    ranked.push(...equals.toSorted((a, b) => costOf(a) - costOf(b)))
    left = left.slice(equals.length)
  }
  return [...ranked, ...figures.filter(({ fps }) => fps === null)]
}

/** Finite, since the difference of two infinities is no number. */
function costOf({ cpu_ms_per_frame: cost }: PathFigure): number {
  return cost ?? Number.MAX_VALUE
}

function figureOf(path: PathCandidate, figures: readonly PathFigure[], kind: FigureKind): PathFigure | undefined {
  const { processes, ...fields } = kind
  const isOfKind = (figure: PathFigure) =>
    Object.entries(fields).every(([name, value]) => figure[name as keyof typeof fields] === value)
  const ours = figures.filter(
    (figure) =>
      figure.decode === path.decode &&
      figure.filter === path.filter &&
      figure.encoder === path.encoder &&
      figure.gpu_id === (path.gpu?.id ?? null) &&
      isOfKind(figure),
  )
  if (processes === undefined) return ours[0]
  return ours.toSorted((a, b) => Math.abs(a.processes - processes) - Math.abs(b.processes - processes))[0]
}
