import { type Preset, presets } from '../contract/conversion.ts'
import type { GpuApi, GpuCapability } from '../contract/gpu.ts'
import type { FrameSize } from './frame.ts'
import { type StaticHdr, svtHdr, x265Hdr } from './hdr-args.ts'
import type { CpuEncoder, VideoEncoder } from './video-encoders.ts'

/** All that an encoder is told. */
export interface EncoderChoice {
  encoder: VideoEncoder
  preset: Preset
  /** Bits per second; ffv1 and prores have none to hold. */
  bitrate: number
  /** Frames per second to tell an encoder whose rate control counts frames; null when the stream's own figure will do. */
  rate_hint: number | null
  /** Of the result. */
  size: FrameSize
  /** What a Vulkan Video encoder was proved with; null for all others. */
  proof: Pick<GpuCapability, 'rate_control' | 'quality_levels'> | null
  /** What the stream is to say of its HDR; missing or null for nothing. */
  hdr?: StaticHdr | null
}

/** An encoder with all its options, as conversions, proofs and calibrations spell them. Rate control is always explicit. */
export function videoEncoderArgs(choice: EncoderChoice): string[] {
  const { encoder } = choice
  return ['-c:v', encoder, ...optionsOf(choice)]
}

function optionsOf(choice: EncoderChoice): string[] {
  const { encoder } = choice
  if (encoder in cpuOptions) return cpuOptions[encoder as CpuEncoder](choice)
  if (encoder === 'ffv1_vulkan') return ffv1Options(choice)
  if (encoder === 'prores_ks_vulkan' || encoder === 'prores_videotoolbox') return proresOptions
  const api = encoder.slice(encoder.lastIndexOf('_') + 1) as GpuApi
  return [...gpuOptions[api](choice), ...rateOptions(choice, api)]
}

/**
 * SVT-AV1 counts from 13 (fast) to 0; below 3 it takes days for a film. Above 10 version 4.2 writes ten bits so that no
 * decoder can read them.
 */
const svtPresets: Record<Preset, number> = {
  ultrafast: 10,
  superfast: 10,
  veryfast: 10,
  faster: 9,
  fast: 8,
  medium: 7,
  slow: 6,
  slower: 4,
  veryslow: 3,
}

/** libvpx has two modes, each with a speed of its own scale: realtime from 5 to 8, good from 5 (fast) to 0. */
const vpxPresets: Record<Preset, readonly [deadline: string, speed: number]> = {
  ultrafast: ['realtime', 8],
  superfast: ['realtime', 6],
  veryfast: ['good', 5],
  faster: ['good', 4],
  fast: ['good', 3],
  medium: ['good', 2],
  slow: ['good', 1],
  slower: ['good', 1],
  veryslow: ['good', 0],
}

/** Apple ProRes 422 HQ; the profile and the size of the picture decide the rate. */
const proresOptions = ['-profile:v', 'hq']

/** How each encoder on the CPU is told of the preset, the rate, and of a frame rate that the stream itself gets wrong. */
const cpuOptions: Record<CpuEncoder, (choice: EncoderChoice) => string[]> = {
  libx264: ({ preset, bitrate }) => ['-preset', preset, '-b:v', String(bitrate)],
  libx265: ({ preset, bitrate, rate_hint: rate, hdr }) => {
    const fps = rate === null ? [] : [`fps=${thousandths(rate)}/1000`]
    const params = ['log-level=error', ...fps, ...(hdr ? x265Hdr(hdr) : [])]
    return ['-preset', preset, '-x265-params', params.join(':'), '-b:v', String(bitrate)]
  },
  libsvtav1: ({ preset, bitrate, rate_hint: rate, hdr }) => {
    const fps = rate === null ? [] : [`fps-num=${thousandths(rate)}`, 'fps-denom=1000']
    const params = [...fps, ...(hdr ? svtHdr(hdr) : [])]
    const told = params.length === 0 ? [] : ['-svtav1-params', params.join(':')]
    return ['-preset', String(svtPresets[preset]), ...told, '-b:v', String(bitrate)]
  },
  'libvpx-vp9': ({ preset, bitrate }) => {
    const [deadline, speed] = vpxPresets[preset]
    return ['-deadline', deadline, '-cpu-used', String(speed), '-row-mt', '1', '-b:v', String(bitrate)]
  },
  // Every slice has a checksum, and every frame stands alone: what archives ask of it.
  ffv1: ({ size }) => ['-level', '3', '-g', '1', '-slicecrc', '1', '-slices', String(ffv1Slices(size))],
  prores_ks: () => [...proresOptions, '-vendor', 'apl0'],
}

/** Of level 3, since FFmpeg before 7 cannot read what the encoder writes as level 4. Left alone it takes 1024 slices, which bloat. */
function ffv1Options({ size }: EncoderChoice): string[] {
  return ['-level', '3', '-g', '1', '-slicecrc', '1', '-slices', String(gpuSlices(size))]
}

/**
 * A slice is the unit of work, of which a GPU needs many more than a processor: an H100 does 16 frames of 2048x1152 a
 * second in 64 slices. They cost bytes: 256 make a 720p film 14 % larger than 16 do, 1024 make it 23 % larger.
 */
function gpuSlices(size: FrameSize): number {
  return ffv1Slices(size) >= 16 ? 256 : 16
}

function ffv1Slices({ width, height }: FrameSize): number {
  if (width * height >= 1280 * 720) return 16
  return width >= 64 && height >= 64 ? 4 : 1
}

/** The place of a preset between the fastest, 0, and the slowest, 1. */
function slowness(preset: Preset): number {
  return presets.indexOf(preset) / (presets.length - 1)
}

/** NVENC counts from p1 (fast) to p7. */
const nvencPresets: Record<Preset, string> = {
  ultrafast: 'p1',
  superfast: 'p1',
  veryfast: 'p2',
  faster: 'p3',
  fast: 'p4',
  medium: 'p5',
  slow: 'p6',
  slower: 'p7',
  veryslow: 'p7',
}

/** Quick Sync begins where x264 has its third. */
const beyondQsv = new Set<Preset>(['ultrafast', 'superfast'])

/** The preset by the names that each kind of engine has for it. None of them knows x264's. */
const gpuOptions: Record<GpuApi, (choice: EncoderChoice) => string[]> = {
  vulkan: ({ preset, proof }) => {
    const levels = proof?.quality_levels ?? 0
    const quality = levels > 1 ? ['-quality', String(Math.round(slowness(preset) * (levels - 1)))] : []
    return [...quality, '-tune', slowness(preset) >= 0.5 ? 'hq' : 'default', '-usage', 'transcode']
  },
  nvenc: ({ preset }) => ['-preset', nvencPresets[preset]],
  qsv: ({ preset }) => ['-preset', beyondQsv.has(preset) ? 'veryfast' : preset],
  vaapi: () => [],
  amf: ({ preset }) => {
    const place = slowness(preset)
    return ['-quality', place < 0.5 ? 'speed' : place < 0.75 ? 'balanced' : 'quality']
  },
  videotoolbox: () => ['-realtime', '0', '-allow_sw', '0'],
}

/** Quantizers near what x264 gives at its default quality; AV1 counts to 255. */
const constantQuantizer = { av1: 110, others: 24 }

/** A mean with room for peaks of twice that for a second or two, as x264 takes it when left alone. */
function rateOptions({ encoder, bitrate, proof }: EncoderChoice, api: GpuApi): string[] {
  const mean = ['-b:v', String(bitrate)]
  const peaks = ['-maxrate', String(bitrate * 2), '-bufsize', String(bitrate * 2)]
  switch (api) {
    case 'vulkan':
      if (proof?.rate_control === 'cqp') {
        const quantizer = encoder === 'av1_vulkan' ? constantQuantizer.av1 : constantQuantizer.others
        return ['-rc_mode', 'cqp', '-qp', String(quantizer)]
      }
      if (proof?.rate_control === 'cbr') return ['-rc_mode', 'cbr', ...mean, '-maxrate', String(bitrate)]
      return ['-rc_mode', 'vbr', ...mean, ...peaks]
    case 'nvenc':
      return ['-rc', 'vbr', ...mean, ...peaks]
    case 'vaapi':
      return ['-rc_mode', 'VBR', ...mean, ...peaks]
    case 'amf':
      return ['-rc', 'vbr_peak', ...mean, ...peaks]
    case 'qsv':
      return [...mean, ...peaks]
    case 'videotoolbox':
      return mean
  }
}

function thousandths(rate: number): number {
  return Math.max(1, Math.round(rate * 1000))
}
