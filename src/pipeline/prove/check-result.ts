import { ConversionError } from '../../contract/failure.ts'
import { fileUrl } from '../ffmpeg/input-limits.ts'
import type { FrameSize } from '../plan/video/frame.ts'
import { readMediaInfo } from '../probe/ffprobe.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import { StartError } from '../process/guard.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** What a trial's file must be. */
export interface ExpectedFile {
  path: string
  /** As ffprobe names it. */
  codec: string
  /** Pixels and frames; null for sound. */
  picture: (FrameSize & { frames: number }) | null
}

/** Reads a trial's file back, every packet of it; why it is not what it should be, or null. */
export async function whyNotAsExpected(setting: TrialSetting, expected: ExpectedFile): Promise<string | null> {
  const info = await readTrialFile(setting, expected.path, ['-count_packets'])
  if (typeof info === 'string') return `the test encode cannot be read: ${info}`
  const [stream] = info.streams
  if (stream?.codec !== expected.codec) return `the test encode gave ${stream?.codec ?? 'nothing'}`
  if (stream.kind !== 'video' || expected.picture === null) return null
  const { width, height, frames } = expected.picture
  if (stream.width !== width || stream.height !== height) {
    return `the test encode gave ${stream.width} x ${stream.height} pixels, not ${width} x ${height}`
  }
  if (stream.frame_count === frames) return null
  return `the test encode gave ${stream.frame_count ?? 0} of ${frames} frames`
}

/** What ffprobe says of a trial's file, or why it cannot tell. Rejects only when the signal aborts. */
export async function readTrialFile(
  setting: TrialSetting,
  path: string,
  options: readonly string[] = [],
): Promise<MediaInfo | string> {
  try {
    const { info } = await readMediaInfo({ ...setting, path, timeout_ms: trialTimeoutMs }, options)
    return info
  } catch (error) {
    setting.signal.throwIfAborted()
    if (error instanceof ConversionError || error instanceof StartError) return error.message
    throw error
  }
}

/** A picture to compare a trial's file with. */
export interface Comparison {
  path: string
  /** A lavfi source that gives the same frames. */
  source: string
  frames: number
  /** The pixel format to compare in. */
  format: string
  least_ssim: number
}

/** Compares a trial's file, decoded on the CPU, with what it was made of; why they differ, or null. */
export async function whyNotAlike(setting: TrialSetting, comparison: Comparison): Promise<string | null> {
  const { path, source, frames, format } = comparison
  // Numbered anew, since containers round times.
  const graph = [
    `[0:v]settb=1/25,setpts=N,format=${format}[result]`,
    `[1:v]trim=end_frame=${frames},settb=1/25,setpts=N,format=${format}[source]`,
    '[result][source]ssim',
  ].join(';')
  const { reason, result } = await trial(setting, {
    what: 'reading the test encode',
    args: ['-i', fileUrl(path), '-f', 'lavfi', '-i', source, '-filter_complex', graph, '-f', 'null', '-'],
    timeout_ms: trialTimeoutMs,
    level: 'info',
  })
  return reason ?? ssimProblem(result?.stderr_tail ?? '', comparison.least_ssim)
}

/** Why a picture is too unlike another, by what the filter `ssim` wrote in the end; null when it is not. */
export function ssimProblem(log: string, least: number): string | null {
  const ssim = /SSIM .*All:([\d.]+)/.exec(log)?.[1]
  if (ssim === undefined) return 'the picture could not be compared: ffmpeg gave no SSIM'
  return Number(ssim) >= least ? null : `the picture came out wrong (SSIM ${Number(ssim).toFixed(2)})`
}
