import type { Container, ConversionSettings, VideoCodec } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import { planStreams, type StreamsPlan } from './plan/streams.ts'
import type { ExpectedStreams } from './plan/streams/expected-streams.ts'
import { filmFlags } from './plan/streams/track-flags.ts'
import { isFullRange } from './plan/video/colour.ts'
import type { EncoderChoice } from './plan/video/encoder-choice.ts'
import type { VideoEncoder } from './plan/video/encoders.ts'
import { videoFilters } from './plan/video/filters.ts'
import type { FrameSize } from './plan/video/frame.ts'
import { type ExpectedColour, expectedColour, hdrNotes, refuseDolbyVision, staticMetadata } from './plan/video/hdr.ts'
import { cpuPath, type PathCandidate } from './plan/video/paths.ts'
import { type Picture, planPicture } from './plan/video/picture.ts'
import { planRate } from './plan/video/rate.ts'
import { isLengthGuessed } from './probe/guessed-length.ts'
import { mainVideo } from './probe/main-video.ts'
import type { MediaInfo, VideoStream } from './probe/media-info.ts'

/** Everything that was decided about one conversion, as data; `ffmpegArgs` spells it. */
export interface ConversionPlan extends StreamsPlan {
  video: VideoPlan
  container: Container
  expected: ExpectedResult
}

/** How the picture goes from the source's stream to the result's. */
export interface VideoPlan {
  stream_index: number
  /** Whether FFmpeg must not copy what the source's container says of the film's light, since it holds no longer. */
  is_detached: boolean
  /** Options that open a GPU, before all others; none for a path on the CPU. */
  device: string[]
  /** Input options that choose the decoder; none is FFmpeg's own choice, on the CPU. */
  decode: string[]
  /** One after the other, in FFmpeg's filter grammar. */
  filters: string[]
  encoding: EncoderChoice
  /** How often ffmpeg goes through the film; with 2 the first time only looks. */
  passes: 1 | 2
  /** Frames per second on average; null when not known. */
  frame_rate: number | null
  /** The clock that frames keep their times in, `1:15360`; null for one tick a frame. */
  time_base: string | null
}

/** What the checked result must look like. */
export interface ExpectedResult extends FrameSize, ExpectedStreams {
  video_codec: VideoCodec
  /** Seconds of the picture and of the whole file in the source; null when it does not say, or only guesses. */
  video_seconds: number | null
  file_seconds: number | null
  /** Frames that the source's container counts; null when its count is not to be relied on. */
  frame_count: number | null
  /** Null where the colour is not checked. */
  colour: ExpectedColour | null
}

/**
 * Pixels of a side, less than which an encoder refuses: SVT-AV1 up to 1.x says `Source Width must be at least 64`, libx265
 * `Image size is too small`.
 */
const smallestSide: Partial<Record<VideoEncoder, number>> = { libsvtav1: 64, libx265: 16 }

/**
 * Decides how a source becomes what the settings ask for, by a path of `videoPaths`; the CPU's unless told. Throws
 * `ConversionError` (step plan) when no encoder can take it.
 */
export function planConversion(
  info: MediaInfo,
  settings: ConversionSettings,
  path: PathCandidate = cpuPath(settings),
): ConversionPlan {
  const source = mainVideo(info)
  refuseDolbyVision(source)
  const picture = planPicture(source, settings)
  const { size } = picture
  refuseTooSmall(size, path, settings)
  const streams = planStreams(info, source, settings)
  const rate = planRate(settings, path)
  const isDetached = picture.colour.tone_map !== null && source.hdr !== null
  return {
    video: {
      stream_index: source.index,
      is_detached: isDetached,
      device: deviceOptions(path),
      decode: decodeOptions(path),
      filters: videoFilters(picture, path),
      encoding: {
        ...rate.choice,
        preset: settings.preset,
        rate_hint: rateHint(source),
        size,
        hdr: staticMetadata(picture),
        // hevc's coder makes a picture of any damage, without an error; who has all of it decoded wants to know.
        ...(settings.verify.decode === 'full' && { has_hashes: true }),
      },
      passes: rate.passes,
      frame_rate: source.average_rate,
      time_base: source.time_base,
    },
    ...streams,
    flags: [...(isDetached ? [filmFlags(source)] : []), ...streams.flags],
    container: settings.container,
    notes: [
      ...pictureNotes(picture),
      ...hdrNotes(picture, path.filter === 'cpu' ? 'zscale' : 'libplacebo'),
      ...rate.notes,
      ...streams.notes,
    ],
    expected: {
      ...size,
      video_codec: settings.codec,
      ...streams.expected,
      ...expectedLength(info, source),
      colour: expectedColour(picture),
    },
  }
}

function refuseTooSmall({ width, height }: FrameSize, { encoder }: PathCandidate, { codec }: ConversionSettings): void {
  const least = smallestSide[encoder] ?? 0
  if (Math.min(width, height) >= least) return
  const message = `${codec} needs at least ${least} x ${least} pixels, and this picture is ${width} x ${height}`
  throw new ConversionError(message, { class: 'permanent', step: 'plan' })
}

/** A worker's other GPUs are no business of this ffmpeg: it opens the one that the path means. */
function deviceOptions({ gpu }: PathCandidate): string[] {
  if (gpu?.api === 'vulkan') return ['-init_hw_device', `vulkan=gpu:${gpu.selector}`, '-filter_hw_device', 'gpu']
  if (gpu?.api === 'vaapi') return ['-init_hw_device', `vaapi=gpu:${gpu.selector}`, '-filter_hw_device', 'gpu']
  return []
}

/**
 * One thread: with more, and so by default, Vulkan decoding stands still for ever on NVIDIA's driver 580 after some sixty
 * frames. The format keeps FFmpeg from decoding on the CPU without a word where the GPU cannot.
 */
function decodeOptions({ decode }: PathCandidate): string[] {
  if (decode !== 'vulkan') return []
  return ['-threads', '1', '-hwaccel', 'vulkan', '-hwaccel_device', 'gpu', '-hwaccel_output_format', 'vulkan']
}

/** A variable rate shows as a fine grid (1000/1) that few frames fall on; counted as a rate it would starve or be refused. */
function rateHint({ average_rate: average, nominal_rate: nominal }: VideoStream): number | null {
  if (average === null || nominal === null) return average
  return nominal > 240 || nominal > 2 * average ? average : null
}

function expectedLength(info: MediaInfo, source: VideoStream) {
  const isGuess = isLengthGuessed(info)
  const fileSeconds = isGuess ? null : info.duration_seconds
  return {
    video_seconds: isGuess ? null : source.duration_seconds,
    file_seconds: fileSeconds,
    frame_count: info.formats.includes('mov') ? shownFrames(source) : null,
  }
}

/** A mov's own count, less what its edit list hides. AVI counts empty chunks as frames, and others only guess. */
function shownFrames({
  frame_count: count,
  duration_seconds: seconds,
  average_rate: rate,
}: VideoStream): number | null {
  if (count === null || seconds === null || rate === null) return count
  return Math.min(count, Math.floor(seconds * rate + 0.5))
}

function pictureNotes({ source, format, codec }: Picture): string[] {
  const notes: string[] = []
  if (source.has_alpha) notes.push('transparency was dropped')
  if (codec === 'ffv1' && isFullRange(source)) {
    notes.push('not lossless: its pixels were changed from the full range to the limited one')
  } else if (codec === 'ffv1' && format !== source.pixel_format) {
    notes.push(`not lossless: its pixels were changed from ${source.pixel_format ?? 'an unknown format'} to ${format}`)
  }
  return notes
}
