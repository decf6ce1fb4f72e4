import type { ConversionSettings, VideoCodec } from '../../../contract/conversion.ts'
import { isHdr } from '../../probe/hdr-metadata.ts'
import type { VideoStream } from '../../probe/media-info.ts'
import { type ColourPlan, planColour } from './colour.ts'
import { type FrameSize, fitFrame } from './frame.ts'

/** What a source's picture is to become, whoever computes it. */
export interface Picture {
  source: VideoStream
  size: FrameSize
  /** FFmpeg's pixel format of the result. */
  format: string
  codec: VideoCodec
  colour: ColourPlan
}

/** Decides what becomes of a source's picture. */
export function planPicture(source: VideoStream, settings: ConversionSettings): Picture {
  const { codec, target_resolution: box } = settings
  const size = fitFrame(source, box)
  return { source, size, format: formatOf(source, codec), codec, colour: planColour(source, codec, size) }
}

/** What ffv1 keeps bit for bit: the formats without transparency that players of it know. */
const losslessFormats = /^(yuv4(20|22|44)p((9|10|12|16)le)?|gray((10|12|16)le)?)$/

/** Ten bits stay ten where the codec's usual profile has them, and HDR gets them. ffv1 is lossless, so it keeps what it is given. */
function formatOf(source: VideoStream, codec: VideoCodec): string {
  if (codec === 'prores') return 'yuv422p10le'
  // The range of such is a tag in all other formats.
  const format = source.pixel_format?.replace(/^yuvj/, 'yuv') ?? ''
  if (codec === 'ffv1' && losslessFormats.test(format)) return format
  const hasTenBits = codec === 'hevc' || codec === 'av1' || codec === 'ffv1'
  return (source.bit_depth > 8 || isHdr(source.color)) && hasTenBits ? 'yuv420p10le' : 'yuv420p'
}
