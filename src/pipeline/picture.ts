import type { ConversionSettings, VideoCodec } from '../contract/conversion.ts'
import { type FrameSize, fitFrame } from './frame.ts'
import type { VideoStream } from './media-info.ts'

/** What a source's picture is to become, whoever computes it. */
export interface Picture {
  source: VideoStream
  size: FrameSize
  /** FFmpeg's pixel format of the result. */
  format: string
  codec: VideoCodec
}

/** Decides what becomes of a source's picture. */
export function planPicture(source: VideoStream, settings: ConversionSettings): Picture {
  const size = fitFrame(source, settings.target_resolution)
  return { source, size, format: formatOf(source, settings.codec), codec: settings.codec }
}

/** Whether the numbers of the pixels use all of their range, as computers have it, and not a film's. */
export function isFullRange({ color, pixel_format: format }: VideoStream): boolean {
  return color.range === 'pc' || format?.startsWith('yuvj') === true
}

/** Whether the pixels are red, green and blue, or a palette of them. */
export function isRgb({ pixel_format: format }: VideoStream): boolean {
  return /^(gbr|rgb|bgr|argb|abgr|pal8|0rgb|0bgr|monob|monow)/.test(format ?? '')
}

/** What ffv1 keeps bit for bit: the formats without transparency that players of it know. */
const losslessFormats = /^(yuv4(20|22|44)p((9|10|12|16)le)?|gray((10|12|16)le)?)$/

/** Ten bits stay ten where the codec's usual profile has them. ffv1 is lossless, so it keeps what it is given. */
function formatOf(source: VideoStream, codec: VideoCodec): string {
  if (codec === 'prores') return 'yuv422p10le'
  if (codec === 'ffv1' && losslessFormats.test(source.pixel_format ?? '')) return source.pixel_format ?? 'yuv420p'
  const hasTenBits = codec === 'hevc' || codec === 'av1' || codec === 'ffv1'
  return source.bit_depth > 8 && hasTenBits ? 'yuv420p10le' : 'yuv420p'
}
