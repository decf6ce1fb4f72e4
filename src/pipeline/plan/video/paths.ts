import type { Gpu, GpuCapability, VideoPath } from '../../../contract/gpu.ts'
import type { VideoStream } from '../../probe/media-info.ts'
import { bitDepthOf, surfaceOf } from '../../probe/pixel-format.ts'
import { isFullRange } from './colour.ts'
import { cpuEncoders, gpuEncoders, isShaderCodec, takesSurface, type VideoEncoder } from './encoders.ts'
import { decodedFormat } from './filters.ts'
import type { FrameSize } from './frame.ts'
import type { Picture } from './picture.ts'

/** One way in which a picture can be converted on this machine, of stages that are proved. */
export interface PathCandidate extends VideoPath {
  encoder: VideoEncoder
  /** Null when all of it runs on the CPU. */
  gpu: Gpu | null
  /** What the GPU's encoder was proved with; null for an encoder on the CPU. */
  proof: GpuCapability | null
}

/** The ways that there are, in the order of choice as long as nothing is measured, and why there is no better one. */
export interface PathChoice {
  /** The last one is the CPU's. */
  candidates: PathCandidate[]
  /** A sentence each, of what keeps a stage off the GPUs; empty when one does all of it. */
  reasons: string[]
}

/** Pure: what can convert a picture, by what the GPUs have proved and by rules that keep it the same as the CPU's. */
export function videoPaths(picture: Picture, gpus: readonly Gpu[]): PathChoice {
  const found = gpus.map((gpu) => pathsOf(picture, gpu))
  const candidates = found.flatMap((paths) => paths.candidates)
  const encoding = candidates.filter(({ proof }) => proof !== null)
  const helping = candidates.filter(({ proof }) => proof === null)
  // One GPU that does it all needs no excuse for the others.
  const isWhole = candidates.some((path) => path.proof && path.decode === 'vulkan' && path.filter === 'vulkan')
  return {
    candidates: [...encoding, ...helping, cpuPath(picture)],
    reasons: isWhole ? [] : [...new Set(found.flatMap((paths) => paths.reasons))],
  }
}

/** All of it on the CPU. */
export function cpuPath({ codec }: Pick<Picture, 'codec'>): PathCandidate {
  return { decode: 'cpu', filter: 'cpu', encoder: cpuEncoders[codec], device: null, gpu: null, proof: null }
}

function pathsOf(picture: Picture, gpu: Gpu): PathChoice {
  const encoder = gpuEncoders[gpu.api][picture.codec]
  const proof = proved(gpu, 'encode', picture.codec, bitDepthOf(picture.format))
  const noEncoder = whyNotEncoded(picture, gpu, proof)
  const noDecoder = gpu.api === 'vulkan' ? whyNotDecoded(picture, gpu) : null
  const noFilter = gpu.api === 'vulkan' ? whyNotFiltered(picture, gpu) : null
  const noWhole = whyNotWhole(picture, encoder)
  const path = (decode: 'cpu' | 'vulkan', filter: 'cpu' | 'vulkan', by: VideoEncoder, found: GpuCapability | null) => ({
    decode,
    filter,
    encoder: by,
    device: gpu.name,
    gpu,
    proof: found,
  })
  const candidates: PathCandidate[] = []
  const isToneMapped = picture.colour.tone_map !== null
  const isScaled = picture.size.width !== picture.source.width || picture.size.height !== picture.source.height
  const isFiltered = isScaled || isToneMapped
  const [decodes, filters] = [gpu.api === 'vulkan' && noDecoder === null, gpu.api === 'vulkan' && noFilter === null]
  if (encoder !== undefined && noEncoder === null) {
    if (decodes && filters && noWhole === null) candidates.push(path('vulkan', 'vulkan', encoder, proof))
    // Without scaling there is nothing to filter: frames are only uploaded, one way or the other.
    if (filters && isFiltered) candidates.push(path('cpu', 'vulkan', encoder, proof))
    candidates.push(path('cpu', 'cpu', encoder, proof))
  }
  const cpu = cpuEncoders[picture.codec]
  if (decodes && filters && isFiltered) candidates.push(path('vulkan', 'vulkan', cpu, null))
  // Tone mapping is worth the way to the GPU and back, as scaling is not.
  if (filters && isToneMapped) candidates.push(path('cpu', 'vulkan', cpu, null))
  if (decodes) candidates.push(path('vulkan', 'cpu', cpu, null))
  const reasons = [
    noEncoder === null ? [] : [`${gpu.name} does not encode it: ${noEncoder}`],
    noDecoder === null ? [] : [`${gpu.name} does not decode it: ${noDecoder}`],
    noFilter === null || !isFiltered
      ? []
      : [`${gpu.name} does not ${isToneMapped ? 'tone-map' : 'scale'} it: ${noFilter}`],
    decodes && filters && noEncoder === null && noWhole !== null
      ? [`${gpu.name} does not do all of it: ${noWhole}`]
      : [],
  ].flat()
  return { candidates, reasons }
}

function whyNotEncoded({ codec, size, format }: Picture, gpu: Gpu, proof: GpuCapability | null): string | null {
  if (gpuEncoders[gpu.api][codec] === undefined) return `${gpu.api} has no encoder of ${codec}`
  if (proof === null) return 'it was not tried'
  if (!proof.proved) return proof.reason ?? 'it failed its test'
  return sizeProblem(size, proof) ?? (codec === 'ffv1' ? alignmentProblem(size, format) : null)
}

/**
 * ffv1_vulkan writes subsampled pictures of other sizes as level 4 only (`Encoding frames with subsampling and unaligned
 * dimensions`), which FFmpeg before 7 cannot read.
 */
function alignmentProblem({ width, height }: FrameSize, format: string): string | null {
  const [x, y] = format.startsWith('yuv420') ? [128, 128] : format.startsWith('yuv422') ? [128, 1] : [1, 1]
  if (width % x === 0 && height % y === 0) return null
  return `ffv1_vulkan takes ${format} in multiples of ${x}${y === 1 ? '' : ` x ${y}`} pixels, not ${width} x ${height}`
}

/** Why what the GPU decodes cannot stay in its memory for the encoder; a filter there changes no pixel format. */
function whyNotWhole({ source, format, colour }: Picture, encoder: VideoEncoder | undefined): string | null {
  const surface = decodedFormat(source)
  // Tone mapping gives frames of another format, which are uploaded anew.
  if (colour.tone_map !== null) return null
  if (encoder === undefined || takesSurface(encoder, surface, format)) return null
  return `${encoder} does not take ${surface}, as it is decoded`
}

/** What the proofs are made with, by shaders and by scale_vulkan: of others some fail, and some come out wrong. */
const triedFormats = {
  decode: new Set(['yuv420p', 'yuv420p10le', 'yuv422p10le']),
  filter: new Set(['yuv420p', 'yuv420p10le']),
}

function whyNotDecoded({ source }: Picture, gpu: Gpu): string | null {
  const { codec, pixel_format: format } = source
  if (source.is_interlaced) return 'the picture is interlaced'
  if (source.rotation !== 0) return 'the picture is rotated'
  if (!isShaderCodec(codec) && surfaceOf(format ?? '') === format) return `its pixels are ${format ?? 'not known'}`
  if (isShaderCodec(codec) && !triedFormats.decode.has(format ?? '')) {
    return `its pixels are ${format ?? 'not known'}, which was not tried`
  }
  const proof = proved(gpu, 'decode', codec, source.bit_depth)
  if (proof === null) return `there is no Vulkan decoder of ${codec} with ${source.bit_depth} bits`
  if (!proof.proved) return proof.reason ?? 'it failed its test'
  return sizeProblem(source, proof)
}

/** What scale_vulkan would not do as the CPU's filters do. */
function whyNotFiltered({ source, format, colour }: Picture, gpu: Gpu): string | null {
  if (source.is_interlaced) return 'the picture is interlaced'
  if (source.rotation !== 0) return 'the picture is rotated'
  if (source.has_alpha) return 'the picture is transparent'
  if (isFullRange(source)) return 'its pixels have the full range'
  if (colour.tone_map !== null) return whyNotToneMapped(source, gpu)
  if (colour.matrix_by !== null)
    return `its colour matrix changes from ${source.color.matrix} to ${colour.result.matrix}`
  if (source.pixel_format !== format) return `its pixels change from ${source.pixel_format ?? 'unknown'} to ${format}`
  if (!triedFormats.filter.has(format)) return `scaling ${format} was not tried`
  const proof = proved(gpu, 'filter', null, bitDepthOf(format), 'scale_vulkan')
  if (proof === null) return `scaling with ${bitDepthOf(format)} bits was not tried`
  return proof.proved ? null : (proof.reason ?? 'it failed its test')
}

function whyNotToneMapped({ pixel_format: format }: VideoStream, gpu: Gpu): string | null {
  if (format !== 'yuv420p10le') return `tone mapping ${format ?? 'unknown pixels'} was not tried`
  const proof = proved(gpu, 'filter', null, 10, 'libplacebo')
  if (proof === null) return 'tone mapping was not tried'
  return proof.proved ? null : (proof.reason ?? 'it failed its test')
}

/** What a GPU was tried at, by whatever does it unless told. */
function proved(
  gpu: Gpu,
  operation: GpuCapability['operation'],
  codec: string | null,
  bit_depth: number,
  by: string | null = null,
) {
  const tried = gpu.capabilities.filter(
    (can) => can.operation === operation && can.codec === codec && (by === null || can.by === by),
  )
  return tried.find((can) => can.bit_depth === bit_depth) ?? tried.find((can) => can.bit_depth === 0) ?? null
}

function sizeProblem({ width, height }: FrameSize, { limits }: GpuCapability): string | null {
  if (limits === null) return null
  const { min_width, min_height, max_width, max_height } = limits
  if (width >= min_width && height >= min_height && width <= max_width && height <= max_height) return null
  return `it takes ${min_width} x ${min_height} to ${max_width} x ${max_height} pixels, not ${width} x ${height}`
}
