import type { VideoPath } from '../contract/gpu.ts'
import type { FrameSize } from './frame.ts'
import type { VideoStream } from './media-info.ts'
import { isFullRange, isRgb, type Picture } from './picture.ts'
import { surfaceOf } from './pixel-format.ts'
import { inputFormat, isShaderCodec, type VideoEncoder, wantsUpload } from './video-encoders.ts'

/** The filters that make of a decoded source what the encoder is to get, one after the other, in FFmpeg's grammar. */
export function videoFilters(
  picture: Picture,
  path: Pick<VideoPath, 'decode' | 'filter'> & { encoder: VideoEncoder },
): string[] {
  if (path.filter === 'vulkan') return filtersOnGpu(picture, path)
  const format = inputFormat(path.encoder, picture.format)
  return [
    ...(path.decode === 'vulkan' ? ['hwdownload', `format=${decodedFormat(picture.source)}`] : []),
    ...filtersOnCpu(picture, format),
    ...(wantsUpload(path.encoder) ? ['hwupload'] : []),
  ]
}

/** The pixel format in which a decoder leaves a source in a GPU's memory. */
export function decodedFormat({ codec, pixel_format: format }: VideoStream): string {
  return isShaderCodec(codec) ? (format ?? 'yuv420p') : surfaceOf(format ?? 'yuv420p')
}

function filtersOnCpu({ source, size }: Picture, format: string): string[] {
  const scale = [`scale=w=${size.width}:h=${size.height}`]
  // Pixels and tags must agree: where the conversion to 4:2:0 has to choose a matrix or a range, it is BT.709 and limited.
  const [rgb, fullRange] = [isRgb(source), isFullRange(source)]
  if (rgb) scale.push('out_color_matrix=bt709')
  if (rgb || fullRange) scale.push('out_range=tv')
  return [
    ...(source.is_interlaced ? ['bwdif=mode=send_frame:parity=auto:deint=interlaced'] : []),
    scale.join(':'),
    'setsar=1',
    `format=${format}`,
    ...(rgb ? ['setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709'] : []),
    ...(fullRange && !rgb ? ['setparams=range=tv'] : []),
  ]
}

/** Only scales, in the format that the pixels have: scale_vulkan cannot convert one YUV layout to another. */
function filtersOnGpu(
  { source, size, format }: Picture,
  { decode, encoder }: Pick<VideoPath, 'decode'> & { encoder: VideoEncoder },
): string[] {
  const upload = inputFormat(encoder, wantsUpload(encoder) ? format : surfaceOf(format))
  const surface = decode === 'vulkan' ? decodedFormat(source) : upload
  // The CPU's scale says so of what has no tag.
  const range = source.color.range === null ? ['setparams=range=tv'] : []
  return [
    ...(decode === 'vulkan' ? [] : [`format=${surface}`, 'hwupload']),
    ...scaleSteps(source, size),
    ...range,
    ...(wantsUpload(encoder) ? ['setsar=1'] : ['hwdownload', `format=${surface}`, 'setsar=1', `format=${format}`]),
  ]
}

/**
 * scale_vulkan reads four pixels for each that it writes. One that is more than twice smaller would be made of a part of
 * the picture only, so it is halved on the way: then every pixel counts.
 */
function scaleSteps(source: FrameSize, target: FrameSize): string[] {
  const steps: string[] = []
  let { width, height } = source
  while (width !== target.width || height !== target.height) {
    width = nextSide(width, target.width)
    height = nextSide(height, target.height)
    steps.push(`scale_vulkan=w=${width}:h=${height}`)
  }
  return steps
}

/** The target where it is at least half of what is there, else half of that. */
function nextSide(side: number, target: number): number {
  return side <= target * 2 ? target : 2 * Math.round(side / 4)
}
