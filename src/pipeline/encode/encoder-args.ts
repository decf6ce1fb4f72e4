import { type Preset, presets } from '../../contract/conversion.ts'
import type { GpuApi } from '../../contract/gpu.ts'
import type { EncoderChoice } from '../plan/video/encoder-choice.ts'
import type { CpuEncoder } from '../plan/video/encoders.ts'
import type { FrameSize } from '../plan/video/frame.ts'
import { svtHdr, x265Hdr } from './hdr-args.ts'
import type { Pass } from './pass.ts'
import { rateArgs } from './rate-args.ts'

/** One run of an encoder. */
export interface EncoderRun extends EncoderChoice {
  /** Which look at the film this is; missing or null for the only one. */
  pass?: Pass | null
}

/** An encoder with all its options, as conversions, proofs and calibrations spell them. Rate control is always explicit. */
export function videoEncoderArgs(choice: EncoderRun): string[] {
  const { encoder } = choice
  return ['-c:v:0', encoder, ...optionsOf(choice), ...rateArgs(withRate(choice))]
}

function optionsOf(choice: EncoderRun): string[] {
  const { encoder } = choice
  if (encoder in cpuOptions) return cpuOptions[encoder as CpuEncoder](choice)
  if (encoder === 'ffv1_vulkan') return ffv1Options(choice)
  if (encoder === 'prores_ks_vulkan' || encoder === 'prores_videotoolbox') return proresOptions
  const api = encoder.slice(encoder.lastIndexOf('_') + 1) as GpuApi
  return gpuOptions[api](choice)
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

/** The realtime mode knows one pass only. */
function twoPassSpeed(preset: Preset): readonly [deadline: string, speed: number] {
  const [deadline, speed] = vpxPresets[preset]
  return deadline === 'realtime' ? vpxPresets.veryfast : [deadline, speed]
}

/** What the option takes at most. */
const largestRate = 2 ** 31 - 1

/** Apple ProRes 422 HQ; the profile and the size of the picture decide the rate. */
const proresOptions = ['-profile:v', 'hq']

/** How each encoder on the CPU is told of the preset, of two passes, and of a frame rate that the stream itself gets wrong. */
const cpuOptions: Record<CpuEncoder, (choice: EncoderRun) => string[]> = {
  libx264: ({ preset, pass }) => ['-preset', preset, ...passOptions(pass)],
  libx265: (choice) => ['-preset', choice.preset, '-x265-params', x265Params(choice).join(':')],
  libsvtav1: (choice) => {
    const params = svtParams(choice)
    const own = params.length === 0 ? [] : ['-svtav1-params', params.join(':')]
    return ['-preset', String(svtPresets[choice.preset]), ...own]
  },
  'libvpx-vp9': ({ preset, pass }) => {
    const [deadline, speed] = pass ? twoPassSpeed(preset) : vpxPresets[preset]
    // Of two passes it caps the first key frame's group by the length of the first frame, a tick to FFmpeg 5.1.
    const uncapped = pass ? ['-maxrate', String(largestRate)] : []
    return ['-deadline', deadline, '-cpu-used', String(speed), '-row-mt', '1', ...passOptions(pass), ...uncapped]
  },
  // Every slice has a checksum, and every frame stands alone: what archives ask of it.
  ffv1: ({ size }) => ['-level', '3', '-g', '1', '-slicecrc', '1', '-slices', String(ffv1Slices(size))],
  prores_ks: () => [...proresOptions, '-vendor', 'apl0'],
}

/** `key=value` each. */
function x265Params({ rate_hint: rate, hdr, has_hashes, pass }: EncoderRun): string[] {
  return [
    'log-level=error',
    ...(rate === null ? [] : [`fps=${thousandths(rate)}/1000`]),
    ...(hdr ? x265Hdr(hdr) : []),
    // MD5, the one that FFmpeg's decoder compares; it takes a twentieth more of the encoder's time.
    ...(has_hashes ? ['hash=1'] : []),
    // FFmpeg hands x265 no passes of its own. The first one need only see what the second one asks.
    ...(pass ? [`pass=${pass.number}`, `stats=${escaped(pass.log_path)}`] : []),
    ...(pass?.number === 1 ? ['no-slow-firstpass=1'] : []),
  ]
}

/** Frames per second that SVT-AV1 takes at most: `The maximum allowed frame rate is 240 fps`. */
const fastestSvt = 240

/** `key=value` each. */
function svtParams({ rate_hint: rate, hdr }: EncoderRun): string[] {
  const fps = rate === null ? [] : [`fps-num=${thousandths(Math.min(rate, fastestSvt))}`, 'fps-denom=1000']
  return [...fps, ...(hdr ? svtHdr(hdr) : [])]
}

/** SVT-AV1 takes what is faster for slow motion that lasts longer, and gets so much less for each of its seconds. */
function withRate(choice: EncoderRun): EncoderRun {
  const { encoder, bitrate, max_bitrate: most, rate_hint: rate } = choice
  if (encoder !== 'libsvtav1' || rate === null || rate <= fastestSvt) return choice
  const share = fastestSvt / rate
  return {
    ...choice,
    bitrate: Math.round(bitrate * share),
    max_bitrate: most == null ? null : Math.round(most * share),
  }
}

function passOptions(pass: Pass | null | undefined): string[] {
  return pass ? ['-pass', String(pass.number), '-passlogfile', pass.log_path] : []
}

/** A value in FFmpeg's list of `key=value`, where a backslash takes its meaning from any character. */
function escaped(value: string): string {
  return value.replaceAll(/[^\w/.-]/gu, String.raw`\$&`)
}

/** Of level 3, since FFmpeg before 7 cannot read what the encoder writes as level 4. Left alone it takes 1024 slices, which bloat. */
function ffv1Options({ size }: EncoderRun): string[] {
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
const gpuOptions: Record<GpuApi, (choice: EncoderRun) => string[]> = {
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

function thousandths(rate: number): number {
  return Math.max(1, Math.round(rate * 1000))
}
