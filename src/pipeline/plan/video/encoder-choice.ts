import type { Preset } from '../../../contract/conversion.ts'
import type { StaticHdr } from '../../probe/hdr-metadata.ts'
import type { VideoEncoder } from './encoders.ts'
import type { FrameSize } from './frame.ts'
import type { RateChoice } from './rate.ts'

/** All that is decided of an encoder. */
export interface EncoderChoice extends RateChoice {
  encoder: VideoEncoder
  preset: Preset
  /** Frames per second to tell an encoder whose rate control counts frames; null when the stream's own figure will do. */
  rate_hint: number | null
  /** Of the result. */
  size: FrameSize
  /** What the stream is to say of its HDR; missing or null for nothing. */
  hdr?: StaticHdr | null
  /** Whether each picture is to carry a hash of itself, where the encoder writes them; missing for no. */
  has_hashes?: boolean
}
