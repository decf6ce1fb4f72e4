import type { SizeClass } from '../../contract/gpu.ts'
import type { FrameSize } from '../plan/video/frame.ts'

/** What sources have in common that takes the same time. */
export interface SourceKind {
  /** As ffprobe names it. */
  codec: string
  bit_depth: number
  size_class: SizeClass
  /** Whether it is HDR that is to become SDR; missing for no. */
  is_tone_mapped?: true
}

/** The class of a picture of that many pixels: up to 1024x576, up to 1920x1088, above. */
export function sizeClassOf({ width, height }: FrameSize): SizeClass {
  const pixels = width * height
  if (pixels <= 1024 * 576) return 'sd'
  return pixels <= 1920 * 1088 ? 'hd' : 'uhd'
}
