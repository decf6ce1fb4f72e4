import type { ConversionSettings } from '../../../contract/conversion.ts'
import { hasNoRate, type RateChoice, whyUnbounded } from '../../encode/rate-args.ts'
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
