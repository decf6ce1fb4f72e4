import type { VideoCodec } from '../../../contract/conversion.ts'
import { isHdr } from '../../probe/hdr-metadata.ts'
import type { ColorTags, VideoStream } from '../../probe/media-info.ts'
import type { FrameSize } from './frame.ts'
import { type ToneMap, toneMapOf } from './tone-map.ts'

/** What becomes of a picture's colour. */
export interface ColourPlan {
  /** What the source's pixels are taken for; where it says too little, what players take them for. Null where it need not be known. */
  source: ColorTags
  /** What the result's pixels are, and are tagged as; null for what stays without a tag. */
  result: ColorTags
  /** The filter that converts from one matrix to another; null where none is needed, or tone mapping does it. */
  matrix_by: 'scale' | 'zscale' | null
  /** Null when the light stays as it is. */
  tone_map: ToneMap | null
}

/** Codecs whose result has 8 bits here, which do not do for HDR. */
const sdrCodecs = new Set<VideoCodec>(['h264', 'vp9'])

/** Decides what becomes of a source's colour in a result of a codec and size. */
export function planColour(source: VideoStream, codec: VideoCodec, size: FrameSize): ColourPlan {
  const taken = takenFor(source, size)
  const isToneMapped = isHdr(taken) && sdrCodecs.has(codec)
  if (isToneMapped) {
    const result = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }
    return { source: taken, result, matrix_by: null, tone_map: toneMapOf(source.hdr) }
  }
  // Lossless is lossless, whatever the matrix. The range is not kept even there: newer versions' ffv1 takes no full one.
  const isKept = codec === 'ffv1' && !isRgb(source)
  const range = isRgb(source) || taken.range !== null ? 'tv' : null
  const { matrix, by } = isKept ? { matrix: taken.matrix, by: null } : resultMatrix(source, taken)
  return { source: taken, result: { ...taken, range, matrix }, matrix_by: by, tone_map: null }
}

/** Whether the numbers of the pixels use all of their range, as computers have it, and not a film's. */
export function isFullRange({ color, pixel_format: format }: Pick<VideoStream, 'color' | 'pixel_format'>): boolean {
  return color.range === 'pc' || format?.startsWith('yuvj') === true
}

/** Whether the pixels are red, green and blue, or a palette of them. */
export function isRgb({ pixel_format: format }: Pick<VideoStream, 'pixel_format'>): boolean {
  return /^(gbr|rgb|bgr|argb|abgr|pal8|0rgb|0bgr|x2rgb|x2bgr|monob|monow)/.test(format ?? '')
}

/** Pixels of RGB without tags are taken for BT.709, and HDR for BT.2020, as all of it is. */
function takenFor(source: VideoStream, size: FrameSize): ColorTags {
  const range = isFullRange(source) ? 'pc' : source.color.range
  const color = { ...source.color, range, matrix: matrixOf(source.color.matrix) }
  if (isHdr(color)) return filled(color, { primaries: 'bt2020', transfer: color.transfer, matrix: 'bt2020nc' })
  if (isRgb(source)) return filled(color, bt709)
  return guessChanges(source, size) ? filled(color, guessOf(source, color)) : color
}

const bt709 = { primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }
type Guess = Omit<ColorTags, 'range'>

function filled(color: ColorTags, guess: Guess): ColorTags {
  return {
    range: color.range,
    primaries: color.primaries ?? guess.primaries,
    transfer: color.transfer ?? guess.transfer,
    matrix: color.matrix ?? guess.matrix,
  }
}

/** RGB's tag is none of YUV. */
function matrixOf(matrix: string | null): string | null {
  return matrix === 'gbr' || matrix === 'rgb' ? null : matrix
}

/**
 * Where players draw the line between BT.601 and BT.709 of untagged pictures: at 576 lines and 1280 columns most, at 720
 * lines some.
 */
function classOf({ width, height }: FrameSize): 'sd' | 'between' | 'hd' {
  if (width >= 1280 || height >= 720) return 'hd'
  return height <= 576 ? 'sd' : 'between'
}

function guessChanges(source: FrameSize, size: FrameSize): boolean {
  return classOf(source) !== classOf(size)
}

/** What players take a source for: by the tags that it has, else by its size. */
function guessOf(source: FrameSize, { primaries, matrix }: ColorTags): Guess {
  if (primaries === 'bt2020' || matrix?.startsWith('bt2020') === true) {
    return { primaries: 'bt2020', transfer: 'bt2020-10', matrix: 'bt2020nc' }
  }
  const isBt709 = matrix === null ? primaries === null || primaries === 'bt709' : matrix === 'bt709'
  const isKnown = matrix !== null || primaries !== null
  if (isKnown ? isBt709 : classOf(source) !== 'sd') return bt709
  const isPal = primaries === 'bt470bg' || matrix === 'bt470bg' || (!isKnown && source.height === 576)
  const system = isPal ? 'bt470bg' : 'smpte170m'
  return { primaries: system, transfer: 'smpte170m', matrix: system }
}

/** Matrices that encoders can tag and players know. */
const plainMatrices = new Set(['bt709', 'bt470bg', 'smpte170m', 'bt2020nc'])
/** What nobody has used for decades, and its successor. */
const oldMatrices = new Map([
  ['smpte240m', 'bt709'],
  ['fcc', 'smpte170m'],
])
/** What `scale` cannot convert. */
const rareMatrices = new Set(['ycgco', 'bt2020c', 'ictcp', 'chroma-derived-nc', 'chroma-derived-c'])

interface MatrixPlan {
  matrix: string | null
  by: ColourPlan['matrix_by']
}

function resultMatrix(source: VideoStream, { primaries, transfer, matrix }: ColorTags): MatrixPlan {
  const usual = primaries === 'bt2020' ? 'bt2020nc' : 'bt709'
  if (isRgb(source)) return { matrix: usual, by: 'scale' }
  if (matrix === null || plainMatrices.has(matrix)) return { matrix, by: null }
  const successor = oldMatrices.get(matrix)
  if (successor !== undefined) return { matrix: successor, by: 'scale' }
  // The others cannot be computed without knowing both.
  const isComputable = matrix === 'ycgco' || (primaries !== null && transfer !== null)
  return rareMatrices.has(matrix) && isComputable ? { matrix: usual, by: 'zscale' } : { matrix, by: null }
}
