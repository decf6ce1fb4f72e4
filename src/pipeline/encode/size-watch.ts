import { formatBytes, formatClock } from '../../util/format.ts'
import type { EncodeProgress } from '../ffmpeg/progress.ts'

/** By what a result's size is judged. */
export interface SizeLimit {
  source_bytes: number
  /** The share of the source's bytes that a result must stay below. */
  max_size_ratio: number
  /** Seconds of the source that its container tells; null when it does not, or only guesses. */
  duration_seconds: number | null
}

/** As much of a progress as its size is judged by. */
export type SizeReport = Pick<EncodeProgress, 'out_time_seconds' | 'size_bytes' | 'is_done'>

/** Before so much of the film, and so many seconds of it, nothing is foretold. */
const earliest = { share: 0.1, seconds: 5 }
/** Reports in a row that must agree. */
const agreeing = 3

/** Why a finished result is not wanted, a sentence; undefined when it is. */
export function whyTooLarge(bytes: number, limit: SizeLimit): string | undefined {
  return bytes >= mostBytes(limit) ? sentence('is', bytes, limit) : undefined
}

/**
 * Looks at an encode's reports, one after the other, and says why its result will not be wanted as soon as that is clear:
 * at once when what is written is too much by itself, or when several reports in a row foretell it.
 */
export function sizeWatch(limit: SizeLimit): (report: SizeReport) => string | undefined {
  let first: SizeReport | undefined
  let inRow = 0
  return (report) => {
    const { size_bytes: size, out_time_seconds: seconds, is_done: isDone } = report
    // What is finished has a size of its own.
    if (size === null || isDone) return undefined
    if (size >= mostBytes(limit)) return outgrown(size, seconds, limit)
    first ??= report
    const foretold = clearlyTooLarge(report, first, limit)
    inRow = foretold === undefined ? 0 : inRow + 1
    return foretold !== undefined && inRow >= agreeing ? sentence('would be', foretold, limit) : undefined
  }
}

/**
 * The bytes that a result would come to at the rate so far, when it would be too large even if the rest took far fewer bits
 * than that; else undefined. How much fewer: after a tenth of the film a hundredth of it, after the half a quarter. So no film is given up that has not yet taken four fifths of what it may, however heavy it begins. What stands in
 * front of the first picture, such as attachments, belongs to no rate.
 */
export function clearlyTooLarge(report: SizeReport, first: SizeReport, limit: SizeLimit): number | undefined {
  const { size_bytes: size, out_time_seconds: seconds } = report
  const { duration_seconds: duration } = limit
  if (size === null || seconds === null || duration === null || duration <= 0) return undefined
  const share = seconds / duration
  if (share < earliest.share || seconds < earliest.seconds || share >= 1) return undefined
  const measured = seconds - (first.out_time_seconds ?? 0)
  if (measured <= 0) return undefined
  const rate = Math.min(size / seconds, (size - (first.size_bytes ?? 0)) / measured)
  const rest = rate * (duration - seconds)
  return size + rest * share ** 2 >= mostBytes(limit) ? size + rest : undefined
}

function mostBytes({ source_bytes, max_size_ratio }: SizeLimit): number {
  return source_bytes * max_size_ratio
}

function sentence(verb: 'is' | 'would be', bytes: number, limit: SizeLimit): string {
  return `the result ${verb} ${measure(bytes, limit)}, and max_size_ratio is ${limit.max_size_ratio}`
}

function outgrown(size: number, seconds: number | null, limit: SizeLimit): string {
  const { duration_seconds: duration, max_size_ratio } = limit
  const position = seconds === null ? '' : ` after ${formatClock(seconds)}`
  const place = position === '' || duration === null ? position : `${position} of ${formatClock(duration)}`
  return `the result has grown to ${measure(size, limit)}${place}, and max_size_ratio is ${max_size_ratio}`
}

function measure(bytes: number, { source_bytes }: SizeLimit): string {
  return `${(bytes / source_bytes).toFixed(2)} times its source (${formatBytes(bytes)} of ${formatBytes(source_bytes)})`
}
