import type { HdrMetadata } from '../../probe/hdr-metadata.ts'
import type { FrameSize } from './frame.ts'

/** How the light of an HDR film is brought into what SDR can show. */
export interface ToneMap {
  /** The film's brightest light, cd/m²; null when it does not say. */
  peak: number | null
}

/** Cd/m² of what SDR shows as white, by ITU-R BT.2408: a page in the sun is 203 in PQ, and the same in HLG's usual room. */
const whiteLuminance = 203
/** What most films are graded for. */
const usualPeak = 1000

/** What is known of a film's light. The film's own counts before what its screen could have shown. */
export function toneMapOf(hdr: HdrMetadata | null): ToneMap {
  const content = hdr?.light?.max_content ?? 0
  const peak = content > 0 ? content : (hdr?.mastering?.max_luminance ?? 0)
  return { peak: peak > 0 ? peak : null }
}

/**
 * PQ or HLG to BT.709 on the CPU, by zscale and tonemap. Of the operators that `tonemap` has, mobius leaves what is darker
 * than a third of white as it is, and came nearest to libplacebo's bt.2390: of 100 cd/m² 184 (there 175), of 203 217
 * (212), of 400 239 (240), of skin 177 133 113 (178 130 109), where hable gives 135, 172, 210 and 131 98 83. A dither that
 * stands still hides the steps of 8 bits from eyes, and costs an encoder little.
 */
export function toneMapFilters({ peak }: ToneMap): string[] {
  const overWhite = Math.max(1, (peak ?? usualPeak) / whiteLuminance)
  return [
    `zscale=transfer=linear:primaries=bt709:npl=${whiteLuminance}`,
    'format=gbrpf32le',
    `tonemap=mobius:param=0.3:desat=0:peak=${overWhite.toFixed(4)}`,
    'zscale=matrix=bt709:transfer=bt709:range=limited:dither=ordered',
  ]
}

/**
 * The same and the scaling on a GPU. What the film says of its light counts, as on the CPU; where it says nothing, the
 * light of its frames is measured, since libplacebo would take 10,000 cd/m² for its peak.
 */
export function libplaceboFilter({ peak }: ToneMap, { width, height }: FrameSize): string {
  return [
    `libplacebo=w=${width}:h=${height}:colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv`,
    `tonemapping=bt.2390:peak_detect=${peak === null ? 1 : 0}:format=yuv420p`,
  ].join(':')
}

/** Takes from frames what no longer holds: newer versions would write the HDR film's screen and light into the SDR result. */
export const withoutHdrMetadata: readonly string[] = [
  'MASTERING_DISPLAY_METADATA',
  'CONTENT_LIGHT_LEVEL',
  'DYNAMIC_HDR_PLUS',
].map((type) => `sidedata=mode=delete:type=${type}`)
