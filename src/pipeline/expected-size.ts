import type { ConversionPlan, VideoPlan } from './plan.ts'
import type { AudioPlan } from './plan/sound/audio.ts'
import type { FrameSize } from './plan/video/frame.ts'
import { hasNoRate, whyUnbounded } from './plan/video/rate.ts'
import type { AudioStream, MediaInfo } from './probe/media-info.ts'

/** What a planned result will come to. */
export interface ExpectedSize {
  /** Bytes; null when they cannot be told beforehand. */
  bytes: number | null
  /** Bytes that it stays below, as far as an encoder holds its bound; null when nothing bounds it. */
  most_bytes: number | null
  /** Why `bytes` is null, a clause; null when it is not. */
  reason: string | null
}

/** Bits per second, or why they are not known. */
interface Rate {
  mean: number | null
  most: number | null
  reason: string | null
}

/**
 * Pure: what a planned result will come to, by the rates of its tracks and the length of its source. A picture that is easy
 * takes less than its bitrate; subtitles, attachments and covers count as nothing.
 */
export function expectedSize(plan: ConversionPlan, info: MediaInfo): ExpectedSize {
  const { video_seconds, file_seconds } = plan.expected
  const seconds = video_seconds ?? file_seconds
  if (seconds === null) return unknown('the source does not tell its length')
  const picture = pictureRate(plan.video, plan.expected)
  const sound = plan.audio.map((track) => soundRate(track, info))
  const rest = sum(sound.map(({ mean }, position) => times(mean, lengthOf(plan.audio[position], info) ?? seconds)))
  const container = packetBytes * packets(plan, info, seconds)
  const size = (rate: number | null) => {
    const bits = sum([times(rate, seconds), rest])
    return bits === null ? null : Math.round(bits / 8 + container)
  }
  const bytes = size(picture.mean)
  const reasons = [picture, ...sound].flatMap(({ reason }) => (reason === null ? [] : [reason]))
  return { bytes, most_bytes: size(picture.most), reason: bytes === null ? (reasons[0] ?? null) : null }
}

function unknown(reason: string): ExpectedSize {
  return { bytes: null, most_bytes: null, reason }
}

function pictureRate({ encoding, frame_rate }: VideoPlan, size: FrameSize): Rate {
  const { encoder, bitrate, quality, proof, max_bitrate = null } = encoding
  if (encoder.startsWith('prores')) {
    if (frame_rate === null) return { mean: null, most: null, reason: 'the source does not tell its frame rate' }
    const mean = proresFrameBits(size) * frame_rate
    return { mean, most: mean, reason: null }
  }
  if (hasNoRate(encoder)) return { mean: null, most: null, reason: `${encoder} is lossless and takes what it needs` }
  const most = whyUnbounded(encoding) === null ? max_bitrate : null
  if (quality != null) return { mean: null, most, reason: 'a quality takes the bits that the picture needs' }
  if (proof?.rate_control === 'cqp') return { mean: null, most, reason: `this driver's ${encoder} holds no rate` }
  return { mean: bitrate, most, reason: null }
}

/** Bits of a macroblock in ProRes 422 HQ, by the most of them that a picture has; from FFmpeg's proresenc_kostya.c. */
const proresBits = [
  { macroblocks: 1620, bits: 1566 },
  { macroblocks: 2700, bits: 1216 },
  { macroblocks: 6075, bits: 1070 },
  { macroblocks: Infinity, bits: 950 },
] as const

function proresFrameBits({ width, height }: FrameSize): number {
  const count = Math.ceil(width / 16) * Math.ceil(height / 16)
  const row = proresBits.find(({ macroblocks }) => count <= macroblocks)
  return count * (row?.bits ?? 950)
}

function soundRate(track: AudioPlan, info: MediaInfo): Rate {
  const source = sourceOf(track, info)
  const mean = track.bitrate ?? pcmRate(track, source) ?? source?.bit_rate ?? null
  const reason = mean === null ? 'the rate of a copied audio track is not known' : null
  return { mean, most: mean, reason }
}

/** Sound that is written as it is played: so many bits a sample. */
function pcmRate({ encoder, sample_rate }: AudioPlan, source: AudioStream | undefined): number | null {
  const bits = /^pcm_[sf](\d+)/.exec(encoder)?.[1]
  if (bits === undefined || source === undefined) return null
  return Number(bits) * source.channels * (sample_rate ?? source.sample_rate)
}

function lengthOf(track: AudioPlan | undefined, info: MediaInfo): number | null {
  return track === undefined ? null : (sourceOf(track, info)?.duration_seconds ?? null)
}

function sourceOf({ stream_index }: AudioPlan, info: MediaInfo): AudioStream | undefined {
  return info.streams.filter((stream) => stream.kind === 'audio').find(({ index }) => index === stream_index)
}

/** What a container spends on a packet: 8 to 16 bytes in an mp4's index, 8 to 10 in front of a block of Matroska. */
const packetBytes = 12

function packets({ video, audio }: ConversionPlan, info: MediaInfo, seconds: number): number {
  // A thousand samples or so each.
  const sound = audio.map((track) => (sourceOf(track, info)?.sample_rate ?? 48_000) / 1024)
  return Math.round(seconds * ((video.frame_rate ?? 25) + sound.reduce((all, rate) => all + rate, 0)))
}

function times(rate: number | null, seconds: number): number | null {
  return rate === null ? null : rate * seconds
}

function sum(parts: readonly (number | null)[]): number | null {
  let all = 0
  for (const part of parts) {
    if (part === null) return null
    all += part
  }
  return all
}
