import type { Container, ConversionSettings, Preset, VideoCodec } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import { type AudioPlan, planAudio } from './audio-plan.ts'
import { type FrameSize, fitFrame } from './frame.ts'
import type { MediaInfo, OtherStream, VideoStream } from './media-info.ts'

/** Everything that was decided about one conversion, as data; `ffmpegArgs` spells it. */
export interface ConversionPlan {
  video: VideoPlan
  /** In the source's order. */
  audio: AudioPlan[]
  container: Container
  /** What is dropped or changed by rule, a sentence each. */
  notes: string[]
  expected: ExpectedResult
}

/** How the picture goes from the source's stream to the result's. */
export interface VideoPlan {
  stream_index: number
  /** Input options that choose the decoder; none is FFmpeg's own choice, on the CPU. */
  decode: string[]
  /** One after the other, in FFmpeg's filter grammar. */
  filters: string[]
  encoder: VideoEncoder
  preset: Preset
  /** Bits per second. */
  bitrate: number
  /** The clock that frames keep their times in, `1:15360`; null for one tick a frame. */
  time_base: string | null
  /** Frames per second to tell an encoder whose rate control counts frames; null when the stream's own figure will do. */
  rate_hint: number | null
}

export type VideoEncoder = 'libx264' | 'libx265' | 'libsvtav1' | 'libvpx-vp9'

/** What the checked result must look like. */
export interface ExpectedResult extends FrameSize {
  video_codec: VideoCodec
  /** As ffprobe names them, one a track. */
  audio_codecs: string[]
  /** Seconds of the picture and of the whole file in the source; null when it does not say, or only guesses. */
  video_seconds: number | null
  file_seconds: number | null
  /** Frames that the source's container counts; null when its count is not to be relied on. */
  frame_count: number | null
}

/** The encoder of each codec on the CPU. */
export const cpuEncoders: Record<VideoCodec, VideoEncoder> = {
  h264: 'libx264',
  hevc: 'libx265',
  av1: 'libsvtav1',
  vp9: 'libvpx-vp9',
}

/** SVT-AV1 up to 1.x refuses less, `Source Width must be at least 64`. */
const smallestSvtSide = 64
const hdrTransfers = new Set(['smpte2084', 'arib-std-b67'])

/** Decides how a source becomes what the settings ask for. Throws `ConversionError` (step plan) when no encoder can take it. */
export function planConversion(info: MediaInfo, settings: ConversionSettings): ConversionPlan {
  const source = mainVideo(info)
  const size = fitFrame(source, settings.target_resolution)
  const encoder = cpuEncoders[settings.codec]
  if (encoder === 'libsvtav1' && Math.min(size.width, size.height) < smallestSvtSide) {
    throw new ConversionError(`av1 needs at least 64 x 64 pixels, and this picture is ${size.width} x ${size.height}`, {
      class: 'permanent',
      step: 'plan',
    })
  }
  const keepsTenBits = source.bit_depth > 8 && (settings.codec === 'hevc' || settings.codec === 'av1')
  const audio = planAudio(info, settings)
  return {
    video: {
      stream_index: source.index,
      decode: [],
      filters: videoFilters(source, size, keepsTenBits),
      encoder,
      preset: settings.preset,
      bitrate: settings.bitrate,
      time_base: source.time_base,
      rate_hint: rateHint(source),
    },
    audio: audio.tracks,
    container: settings.container,
    notes: [...pictureNotes(source, keepsTenBits), ...audio.notes, ...droppedNotes(info, source)],
    expected: {
      ...size,
      video_codec: settings.codec,
      audio_codecs: audio.tracks.map((track) => track.codec),
      ...expectedLength(info, source),
    },
  }
}

/** The film: the default one if one is marked, else the largest, else the first. Cover art is none. */
export function mainVideo(info: MediaInfo): VideoStream {
  const films = info.streams.filter((stream) => stream.kind === 'video').filter((stream) => !stream.is_cover)
  const [first] = films.toSorted(
    (a, b) =>
      Number(b.is_default) - Number(a.is_default) || b.width * b.height - a.width * a.height || a.index - b.index,
  )
  if (first) return first
  throw new ConversionError('no video stream', { class: 'permanent', step: 'plan' })
}

function videoFilters(source: VideoStream, size: FrameSize, keepsTenBits: boolean): string[] {
  const isRgb = /^(gbr|rgb|bgr|argb|abgr|pal8|0rgb|0bgr|monob|monow)/.test(source.pixel_format ?? '')
  const isFullRange = source.color.range === 'pc' || source.pixel_format?.startsWith('yuvj') === true
  const scale = [`scale=w=${size.width}:h=${size.height}`]
  // Pixels and tags must agree: where the conversion to 4:2:0 has to choose a matrix or a range, it is BT.709 and limited.
  if (isRgb) scale.push('out_color_matrix=bt709')
  if (isRgb || isFullRange) scale.push('out_range=tv')
  return [
    ...(source.is_interlaced ? ['bwdif=mode=send_frame:parity=auto:deint=interlaced'] : []),
    scale.join(':'),
    'setsar=1',
    `format=${keepsTenBits ? 'yuv420p10le' : 'yuv420p'}`,
    ...(isRgb ? ['setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709'] : []),
    ...(isFullRange && !isRgb ? ['setparams=range=tv'] : []),
  ]
}

/** A variable rate shows as a fine grid (1000/1) that few frames fall on; counted as a rate it would starve or be refused. */
function rateHint({ average_rate: average, nominal_rate: nominal }: VideoStream): number | null {
  if (average === null || nominal === null) return average
  return nominal > 240 || nominal > 2 * average ? average : null
}

/** Formats without a length of their own: FFmpeg guesses one from the bit rate. */
const guessedLength = /^(h26[134]|hevc|vvc|m4v|mpegvideo|mjpeg|vc1|obu|dirac|.*_pipe|gif|apng)$/

function expectedLength(info: MediaInfo, source: VideoStream) {
  const isGuess = info.formats.some((name) => guessedLength.test(name))
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

function pictureNotes(source: VideoStream, keepsTenBits: boolean): string[] {
  const notes: string[] = []
  if (source.has_alpha) notes.push('transparency was dropped')
  if (hdrTransfers.has(source.color.transfer ?? '') && !keepsTenBits) {
    notes.push('the HDR picture was reduced to 8 bits without tone mapping')
  }
  return notes
}

function droppedNotes(info: MediaInfo, main: VideoStream): string[] {
  const others = info.streams.filter((stream) => stream.kind === 'video' && stream.index !== main.index)
  const covers = others.filter((stream) => stream.kind === 'video' && stream.is_cover).length
  const count = (kind: OtherStream['kind']) => info.streams.filter((stream) => stream.kind === kind).length
  return [
    ...dropped(others.length - covers, 'other video track'),
    ...dropped(covers, 'cover picture'),
    ...dropped(count('subtitle'), 'subtitle track'),
    ...dropped(count('attachment'), 'attachment'),
    ...dropped(count('data') + count('unknown'), 'data track'),
  ]
}

function dropped(count: number, what: string): string[] {
  if (count === 0) return []
  return [count === 1 ? `1 ${what} was dropped` : `${count} ${what}s were dropped`]
}
