import { stat } from 'node:fs/promises'
import type { VideoPath } from '../contract/gpu.ts'
import type { Progress } from '../contract/job.ts'
import { encode } from './encode/encode.ts'
import { ffmpegRuns, type RunPaths } from './encode/ffmpeg-args.ts'
import { sizeWatch, type SizeLimit, whyTooLarge } from './encode/size-watch.ts'
import { type EncodeProgress, jobProgress, type RunPlace } from './ffmpeg/progress.ts'
import type { ConversionPlan } from './plan.ts'
import type { MediaInfo } from './probe/media-info.ts'
import { SkippedError } from './skipped-error.ts'

/** A plan to carry out. */
export interface EncodePlanRequest {
  plan: ConversionPlan
  info: MediaInfo
  runs_on: VideoPath
  ffmpeg_path: string
  paths: RunPaths
  /** The share of the source's bytes that a result must stay below; null for any size. */
  max_size_ratio: number | null
  environment: Record<string, string | undefined>
  /** Milliseconds, for each run of ffmpeg. */
  timeout_ms: number
  stall_timeout_ms: number
  on_progress: (progress: Progress) => void
  signal: AbortSignal
}

/** What the run that wrote the result was. */
export interface EncodedPlan {
  command: string[]
  /** Frames that the encoder counts; null when it did not tell. */
  frames: number | null
  /** Bytes that it said to have written in the end; null when it did not tell. */
  size_bytes: number | null
  /** Where it said that the result ends, in seconds; null when it did not tell. */
  end_seconds: number | null
  /** Pictures in front of the source's first key frame, which nobody can decode. */
  lost_pictures: number
}

/**
 * Runs ffmpeg as often as a plan says. Throws what `encode` does for the run that failed, and `SkippedError` for a result
 * that is too large, as soon as that is clear.
 */
export async function encodePlan(request: EncodePlanRequest): Promise<EncodedPlan> {
  const { plan, info, paths, ffmpeg_path, max_size_ratio } = request
  const { file_seconds: duration_seconds } = plan.expected
  const limit = max_size_ratio === null ? null : { source_bytes: info.size_bytes, max_size_ratio, duration_seconds }
  const commands = ffmpegRuns(plan, paths).map((args) => [ffmpeg_path, ...args])
  let encoded: EncodedPlan = { command: [], frames: null, size_bytes: null, end_seconds: null, lost_pictures: 0 }
  const on_progress = growing(request.on_progress)
  for (const [index, command] of commands.entries()) {
    let lost_pictures = 0
    const onLost = (pictures: number) => (lost_pictures = pictures)
    const place = { index, count: commands.length }
    const last = await run({ ...request, on_progress }, command, place, limit, onLost)
    const [frames, sizeBytes] = [last?.frame ?? null, last?.size_bytes ?? null]
    encoded = { command, frames, size_bytes: sizeBytes, end_seconds: last?.out_time_seconds ?? null, lost_pictures }
  }
  const tooLarge = limit === null ? undefined : whyTooLarge((await stat(paths.output)).size, limit)
  if (tooLarge !== undefined) throw new SkippedError(tooLarge)
  return encoded
}

async function run(
  { info, plan, runs_on, ...request }: EncodePlanRequest,
  command: string[],
  place: RunPlace,
  limit: SizeLimit | null,
  onLost: (pictures: number) => void,
): Promise<EncodeProgress | undefined> {
  // A first pass writes no result.
  const watch = limit !== null && place.index === place.count - 1 ? sizeWatch(limit) : undefined
  const unwanted = new AbortController()
  return encode({
    command,
    output_path: request.paths.output,
    environment: request.environment,
    timeout_ms: request.timeout_ms,
    stall_timeout_ms: request.stall_timeout_ms,
    duration_seconds: info.duration_seconds,
    told_seconds: plan.expected.file_seconds,
    // Programme and transport streams are cut from a broadcast; all else is written from its beginning.
    on_lost: info.formats.some((name) => name === 'mpegts' || name === 'mpeg') ? onLost : undefined,
    on_progress: (block) => {
      request.on_progress(jobProgress(block, info.duration_seconds, runs_on, place))
      const tooLarge = watch?.(block)
      if (tooLarge !== undefined) unwanted.abort(new SkippedError(tooLarge))
    },
    signal: AbortSignal.any([request.signal, unwanted.signal]),
  })
}

/** FFmpeg's position is that of the stream that is furthest, and falls back when the muxer has waited for another one. */
function growing(tell: (progress: Progress) => void): (progress: Progress) => void {
  let reached = 0
  return (progress) => {
    if (progress.percent !== null) reached = Math.max(reached, progress.percent)
    tell(progress.percent === null ? progress : { ...progress, percent: reached })
  }
}
