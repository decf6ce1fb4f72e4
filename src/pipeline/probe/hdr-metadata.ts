import * as v from 'valibot'
import type { ColorTags } from './media-info.ts'

/** What a film says of the screen that it was made on, and of its light; and what else it carries beside its pixels. */
export interface HdrMetadata {
  mastering: MasteringDisplay | null
  light: LightLevel | null
  dolby_vision: DolbyVision | null
  /** Whether light is described scene by scene, as HDR10+ does (SMPTE ST 2094-40). */
  has_hdr10_plus: boolean
}

/** What a film's stream is to say of the screen that it was made on and of its light. */
export type StaticHdr = Pick<HdrMetadata, 'mastering' | 'light'>

/** SMPTE ST 2086: the screen that the film was graded on. */
export interface MasteringDisplay {
  /** CIE 1931 x and y. */
  red: readonly [number, number]
  green: readonly [number, number]
  blue: readonly [number, number]
  white: readonly [number, number]
  /** cd/m² */
  min_luminance: number
  max_luminance: number
}

/** CTA-861.3: the film's brightest pixel and its brightest mean of a frame, cd/m²; 0 where it does not say. */
export interface LightLevel {
  max_content: number
  max_average: number
}

/** What a stream's Dolby Vision configuration record says. */
export interface DolbyVision {
  profile: number
  /** What the pixels are to who does not know Dolby Vision: 0 nothing, 1 and 6 HDR10, 2 SDR, 4 HLG. */
  compatibility: number
}

const Fraction = v.pipe(v.union([v.string(), v.number()]), v.transform(toNumber), v.finite())
const Mastering = v.object({
  red_x: Fraction,
  red_y: Fraction,
  green_x: Fraction,
  green_y: Fraction,
  blue_x: Fraction,
  blue_y: Fraction,
  white_point_x: Fraction,
  white_point_y: Fraction,
  min_luminance: Fraction,
  max_luminance: v.pipe(Fraction, v.minValue(0.0001)),
})
const Light = v.object({ max_content: v.number(), max_average: v.number() })
const Configuration = v.object({ dv_profile: v.number(), dv_bl_signal_compatibility_id: v.number() })

/** One entry of ffprobe's `side_data_list`. */
export const SideData = v.looseObject({ side_data_type: v.optional(v.string(), '') })
export type SideData = v.InferOutput<typeof SideData>

/** Reads the side data of a stream or of a frame; null when none of it concerns HDR. What is incomplete counts as absent. */
export function readHdrMetadata(list: readonly SideData[]): HdrMetadata | null {
  const read = <T>(type: string, schema: v.GenericSchema<unknown, T>): T | undefined => {
    const found = list.find((data) => data.side_data_type.startsWith(type))
    const parsed = v.safeParse(schema, found)
    return parsed.success ? parsed.output : undefined
  }
  const mastering = read('Mastering display metadata', Mastering)
  const light = read('Content light level metadata', Light)
  const dolby = read('DOVI configuration record', Configuration)
  const hasHdr10Plus = list.some((data) => /SMPTE2094-40|HDR10\+/.test(data.side_data_type))
  if (mastering === undefined && light === undefined && dolby === undefined && !hasHdr10Plus) return null
  return {
    mastering: mastering === undefined ? null : displayOf(mastering),
    light: light === undefined || light.max_content + light.max_average === 0 ? null : light,
    dolby_vision:
      dolby === undefined ? null : { profile: dolby.dv_profile, compatibility: dolby.dv_bl_signal_compatibility_id },
    has_hdr10_plus: hasHdr10Plus,
  }
}

/** What either says; the first counts where both do. */
export function mergeHdrMetadata(first: HdrMetadata | null, second: HdrMetadata | null): HdrMetadata | null {
  if (first === null || second === null) return first ?? second
  return {
    mastering: first.mastering ?? second.mastering,
    light: first.light ?? second.light,
    dolby_vision: first.dolby_vision ?? second.dolby_vision,
    has_hdr10_plus: first.has_hdr10_plus || second.has_hdr10_plus,
  }
}

/** Whether the numbers of the pixels stand for more light than SDR has: PQ (SMPTE ST 2084) or HLG (ARIB STD-B67). */
export function isHdr({ transfer }: ColorTags): boolean {
  return transfer === 'smpte2084' || transfer === 'arib-std-b67'
}

function displayOf(raw: v.InferOutput<typeof Mastering>): MasteringDisplay {
  return {
    red: [raw.red_x, raw.red_y],
    green: [raw.green_x, raw.green_y],
    blue: [raw.blue_x, raw.blue_y],
    white: [raw.white_point_x, raw.white_point_y],
    min_luminance: raw.min_luminance,
    max_luminance: raw.max_luminance,
  }
}

/** `34000/50000`, `0.68` */
function toNumber(text: string | number): number {
  const [above, below] = String(text).split('/')
  return Number(above) / Number(below ?? 1)
}
