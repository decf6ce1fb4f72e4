import type { VideoPath } from '../../../contract/gpu.ts'
import type { ColorTags, VideoStream } from '../../probe/media-info.ts'
import { surfaceOf } from '../../probe/pixel-format.ts'
import { isFullRange, isRgb } from './colour.ts'
import { inputFormat, isShaderCodec, type VideoEncoder, wantsUpload } from './encoders.ts'
import type { FrameSize } from './frame.ts'
import type { Picture } from './picture.ts'
import { libplaceboFilter, type ToneMap, toneMapFilters, withoutHdrMetadata } from './tone-map.ts'

/** The filters that make of a decoded source what the encoder is to get, one after the other, in FFmpeg's grammar. */
export function videoFilters(
  picture: Picture,
  path: Pick<VideoPath, 'decode' | 'filter'> & { encoder: VideoEncoder },
): string[] {
  const format = inputFormat(path.encoder, picture.format)
  if (path.filter === 'vulkan') {
    const { tone_map: toneMap } = picture.colour
    if (toneMap !== null) return toneMappedOnGpu(picture, toneMap, format, path)
    return [...filtersOnGpu(picture, path), ...withoutDolbyVision(picture, path)]
  }
  return [
    ...(path.decode === 'vulkan' ? ['hwdownload', `format=${decodedFormat(picture.source)}`] : []),
    ...filtersOnCpu(picture, format),
    ...withoutDolbyVision(picture, path),
    ...(wantsUpload(path.encoder) ? ['hwupload'] : []),
  ]
}

/**
 * These encoders would write Dolby Vision of their own accord in newer versions, and refuse it without a buffer model. No
 * version has all names of what it comes in, so all that frames carry goes; what the stream is to say is told besides.
 */
function withoutDolbyVision({ source }: Picture, { encoder }: { encoder: VideoEncoder }): string[] {
  const isWriter = encoder === 'libx265' || encoder === 'libsvtav1'
  return isWriter && source.hdr?.dolby_vision ? ['sidedata=mode=delete'] : []
}

/** The pixel format in which a decoder leaves a source in a GPU's memory. */
export function decodedFormat({ codec, pixel_format: format }: VideoStream): string {
  return isShaderCodec(codec) ? (format ?? 'yuv420p') : surfaceOf(format ?? 'yuv420p')
}

function filtersOnCpu(picture: Picture, format: string): string[] {
  const { source, size, colour } = picture
  const scale = `scale=${[`w=${size.width}`, `h=${size.height}`, ...scaleColour(picture)].join(':')}`
  const ready = colour.tone_map === null ? colour.result : { ...colour.source, range: 'tv' }
  // Newer versions' scale refuses pixels of a matrix that it cannot compute, though it need not.
  const isHidden = colour.matrix_by !== 'zscale' && !isScaleMatrix(source.color.matrix)
  const tagged = setParams({ ...source.color, ...((isRgb(source) || isHidden) && { matrix: null }) }, ready)
  return [
    ...(source.is_interlaced ? ['bwdif=mode=send_frame:parity=auto:deint=interlaced'] : []),
    ...(isHidden && !isRgb(source) ? ['setparams=colorspace=unknown'] : []),
    ...(colour.matrix_by === 'zscale' ? [`zscale=matrix=${colour.result.matrix}`] : []),
    scale,
    ...(colour.tone_map === null ? [] : [...tagged, ...toneMapFilters(colour.tone_map), ...withoutHdrMetadata]),
    'setsar=1',
    `format=${format}`,
    ...(colour.tone_map === null ? tagged : []),
  ]
}

/** What `scale` has to know of matrices and ranges: pixels and tags must agree. */
function scaleColour({ source, colour }: Picture): string[] {
  const { result, tone_map, matrix_by } = colour
  const matrix = tone_map === null ? result.matrix : colour.source.matrix
  return [
    ...(matrix_by === 'scale' && !isRgb(source) ? [`in_color_matrix=${scaleMatrix(colour.source.matrix)}`] : []),
    ...(isRgb(source) || matrix_by === 'scale' ? [`out_color_matrix=${scaleMatrix(matrix)}`] : []),
    ...(isRgb(source) || isFullRange(source) ? ['out_range=tv'] : []),
  ]
}

function isScaleMatrix(matrix: string | null): boolean {
  return matrix === null || /^(bt709|fcc|bt470bg|smpte170m|smpte240m|bt2020nc)$/.test(matrix)
}

/** `scale` has names of its own for some. */
function scaleMatrix(matrix: string | null): string {
  if (matrix === 'bt2020nc') return 'bt2020'
  return matrix === 'bt470bg' ? 'bt470' : (matrix ?? 'auto')
}

/** Tags frames with what they do not say themselves yet. */
function setParams(said: ColorTags, wanted: ColorTags): string[] {
  const option = (name: string, tag: keyof ColorTags) =>
    wanted[tag] === null || wanted[tag] === said[tag] ? [] : [`${name}=${wanted[tag]}`]
  const options = [
    option('range', 'range'),
    option('color_primaries', 'primaries'),
    option('color_trc', 'transfer'),
    option('colorspace', 'matrix'),
  ].flat()
  return options.length === 0 ? [] : [`setparams=${options.join(':')}`]
}

/**
 * Frames go up by libplacebo's own hand, or are there already, and come down by it: what newer versions leave in the GPU's
 * memory came out green from Mesa's driver for the processor.
 */
function toneMappedOnGpu(
  { source, size, colour }: Picture,
  toneMap: ToneMap,
  format: string,
  { encoder }: { encoder: VideoEncoder },
): string[] {
  return [
    ...setParams(source.color, { ...colour.source, range: 'tv' }),
    libplaceboFilter(toneMap, size),
    ...withoutHdrMetadata,
    'setsar=1',
    `format=${format}`,
    ...(wantsUpload(encoder) ? ['hwupload'] : []),
  ]
}

/** Only scales, in the format that the pixels have: scale_vulkan cannot convert one YUV layout to another. */
function filtersOnGpu(
  { source, size, format, colour }: Picture,
  { decode, encoder }: Pick<VideoPath, 'decode'> & { encoder: VideoEncoder },
): string[] {
  const upload = inputFormat(encoder, wantsUpload(encoder) ? format : surfaceOf(format))
  const surface = decode === 'vulkan' ? decodedFormat(source) : upload
  // The CPU's scale says so of what has no tag.
  const tagged = setParams(source.color, { ...colour.result, range: colour.result.range ?? 'tv' })
  return [
    ...(decode === 'vulkan' ? [] : [`format=${surface}`, 'hwupload']),
    ...scaleSteps(source, size),
    ...tagged,
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
