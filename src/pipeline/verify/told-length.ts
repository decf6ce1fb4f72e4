import { formatClock } from '../../util/format.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import { filmOf } from './film-of.ts'

/** Seconds, or a share of the film, that container and encoder may differ by. */
const tolerance = { seconds: 0.5, share: 0.01 }
/** Frames by which newer versions tell less: they tell when the last one begins to be decoded. */
const looseFrames = 4

/**
 * What is wrong with where a result ends by its container, against where ffmpeg said in the end that it had written to;
 * null when nothing is. `end` in seconds of the result's clock.
 */
export function lengthProblem(result: MediaInfo, end: number | null): string | null {
  const { duration_seconds: duration } = result
  if (end === null || duration === null) return null
  const rate = filmOf(result)?.average_rate ?? null
  const frame = rate === null ? 0 : 1 / rate
  const allowed = Math.max(tolerance.seconds, tolerance.share * end) + looseFrames * frame
  const told = (result.start_seconds ?? 0) + duration
  const isLonger = told > end + allowed
  // A text stays on the screen after the film has ended.
  const hasSubtitles = result.streams.some((stream) => stream.kind === 'subtitle')
  if (told >= end - allowed && (!isLonger || hasSubtitles)) return null
  return `the result tells a length of ${formatClock(duration)}, and was written to ${formatClock(end)}`
}
