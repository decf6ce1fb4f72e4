import type { VideoEncoder } from '../plan/video/encoders.ts'

/** What an encoder calls the qualities 0, 25, 50, 75 and 100; between them it is a straight line. */
type Scale = readonly [number, number, number, number, number]

/** Encoders on the CPU, by CRF: the others are fitted to libx264 by XPSNR, see docs/quality.md and `bun run bench:quality`. */
const crf = {
  libx264: [40, 32.5, 25, 17.5, 10],
  libx265: [41.5, 33.5, 25.5, 17.5, 9],
  libsvtav1: [63, 56, 42, 24, 6],
  'libvpx-vp9': [63, 53, 39, 23, 6],
} as const satisfies Record<string, Scale>

/** GPUs are not measured. H.264's and HEVC's constant quantizer is on the scale of libx264's CRF, a little behind it. */
const quantizer: Scale = [41, 33.5, 26, 18.5, 11]
/** AV1's and VP9's index of the same quantizer step, of 255. */
const index: Scale = [195, 147, 94, 35, 11]
/** NVENC's levels of AV1 go to 63, those of H.264 to 51. */
const av1Nvenc: Scale = [51, 41, 32, 23, 14]
/** VideoToolbox counts as we do. */
const same: Scale = [1, 25, 50, 75, 100]

/**
 * What an encoder that has a quality is told for one of 1 to 100, on its own scale: CRF, a constant quantizer, or what its
 * driver takes for one. In tenths for libx264 and libx265, whole for all others.
 */
export function quantizerOf(encoder: VideoEncoder, quality: number): number {
  const scale = scaleOf(encoder)
  const place = Math.min(100, Math.max(1, quality)) / 25
  const below = Math.min(3, Math.floor(place))
  const [from, to] = [scale[below] ?? 0, scale[below + 1] ?? 0]
  const value = from + (place - below) * (to - from)
  return encoder === 'libx264' || encoder === 'libx265' ? Math.round(value * 10) / 10 : Math.round(value)
}

function scaleOf(encoder: VideoEncoder): Scale {
  if (encoder in crf) return crf[encoder as keyof typeof crf]
  if (encoder.endsWith('_videotoolbox')) return same
  if (encoder === 'av1_nvenc') return av1Nvenc
  // Quick Sync counts from 1 to 51 for every codec.
  return /^(av1|vp9)_/.test(encoder) && !encoder.endsWith('_qsv') ? index : quantizer
}
