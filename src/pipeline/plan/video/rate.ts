import type { ConversionSettings } from '../../../contract/conversion.ts'
import type { GpuCapability } from '../../../contract/gpu.ts'
import type { VideoEncoder } from './encoders.ts'
import type { PathCandidate } from './paths.ts'

/** What decides how many bits the picture takes. */
export interface RatePlan {
  choice: RateChoice
  /** How often ffmpeg goes through the film; with 2 the first time only looks. */
  passes: 1 | 2
  /** What cannot be done as it was asked for, a sentence each. */
  notes: string[]
}

/** What decides how many bits a picture takes. */
export interface RateChoice {
  encoder: VideoEncoder
  /** Bits per second; ffv1 and prores have none to hold. */
  bitrate: number
  /** 1 to 100, which then decides instead of the bitrate; missing or null where the bitrate does. */
  quality?: number | null
  /** Bits per second of peaks; missing or null for no bound. */
  max_bitrate?: number | null
  /** What a Vulkan Video encoder was proved with; null for all others. */
  proof: Pick<GpuCapability, 'rate_control' | 'quality_levels'> | null
}

/** Encoders whose second pass FFmpeg feeds with what the first one saw. */
const lookTwice: ReadonlySet<VideoEncoder> = new Set<VideoEncoder>(['libx264', 'libx265', 'libvpx-vp9'])

/** Decides how a picture's bits are counted. A quality needs no second look at the film: there is no mean to hold. */
export function planRate(
  settings: ConversionSettings,
  { encoder, proof }: Pick<PathCandidate, 'encoder' | 'proof'>,
): RatePlan {
  const { bitrate, quality, max_bitrate } = settings
  const choice = { encoder, bitrate, quality, max_bitrate, proof }
  const wantsTwo = settings.two_pass && quality === null && !hasNoRate(encoder)
  const onePass = wantsTwo ? whyOnePass(encoder, max_bitrate) : null
  const unbounded = whyUnbounded(choice)
  return {
    choice,
    passes: wantsTwo && onePass === null ? 2 : 1,
    notes: [
      ...(onePass === null ? [] : [`one pass instead of two: ${onePass}`]),
      ...(unbounded === null ? [] : [`max_bitrate was not held: ${unbounded}`]),
    ],
  }
}

function whyOnePass(encoder: VideoEncoder, most: number | null): string | null {
  if (!lookTwice.has(encoder)) return `${encoder} makes no use of a second one`
  return encoder === 'libvpx-vp9' && most !== null ? `${encoder} holds max_bitrate in one only` : null
}

/**
 * Why `max_bitrate` does not bind an encoder, a clause; null when it does or there is none. SVT-AV1 4 refuses it beside a
 * bitrate, `Max Bitrate only supported with CRF mode`, where 1.4 takes it.
 */
export function whyUnbounded({ encoder, quality, max_bitrate, proof }: RateChoice): string | null {
  if (max_bitrate == null) return null
  if (hasNoRate(encoder)) return `${encoder} takes the bits that it needs`
  if (encoder === 'libsvtav1' && quality == null) return 'libsvtav1 takes it beside a quality only'
  if (proof?.rate_control === 'cqp') return `this driver's ${encoder} holds no rate`
  return /_(vulkan|vaapi|amf)$/.test(encoder) && quality != null ? `${encoder} takes it beside a bitrate only` : null
}

/** Whether an encoder takes the bits that it needs, whatever it is told: ffv1 has no loss and prores a profile. */
export function hasNoRate(encoder: VideoEncoder): boolean {
  return /^(ffv1|prores)/.test(encoder)
}
