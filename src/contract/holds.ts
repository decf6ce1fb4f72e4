import type { Container, ConversionSettings } from './conversion.ts'
import type { Profile, SourceFacts } from './profile.ts'

/** A source that somebody has looked at. */
export interface KnownSource {
  source_path: string
  facts: SourceFacts
}

/** Rate control holds its mark only nearly: what exceeds it by less is as good as at it. */
const rateTolerance = 1.1

/** The first of the profiles that holds for a source, all of them for its path; undefined when none does. */
export function firstHolding<T extends Profile>(profiles: readonly T[], source: KnownSource): T | undefined {
  return profiles.find((profile) => holds(profile, source))
}

/** Whether all conditions of a profile hold for a source. What is not known of the source holds no condition. */
export function holds({ when, settings }: Pick<Profile, 'when' | 'settings'>, source: KnownSource): boolean {
  const { codec, height, is_hdr, bit_rate, duration_seconds } = source.facts
  return (
    (when.codec === undefined || when.codec.includes(codec)) &&
    isWithin(height, when.min_height, when.max_height) &&
    (when.hdr === undefined || when.hdr === is_hdr) &&
    isWithin(bit_rate, when.min_bitrate, when.max_bitrate) &&
    isWithin(duration_seconds, when.min_duration, when.max_duration) &&
    (when.compliant === undefined || when.compliant === isCompliant(source, settings))
  )
}

/**
 * Whether a source is already what the settings ask for: the codec and the container are theirs, the picture fits into
 * the box, and the bit rate of the whole file is at most that of picture and sound together, a tenth more forgiven. With
 * `quality`, and for codecs that take no bit rate, only `max_bitrate` bounds it.
 */
export function isCompliant({ source_path, facts }: KnownSource, settings: ConversionSettings): boolean {
  const { width, height } = settings.target_resolution
  return (
    facts.codec === settings.codec &&
    containerOf(source_path, facts) === settings.container &&
    facts.width <= width &&
    facts.height <= height &&
    isWithin(facts.bit_rate, undefined, rateBound(settings))
  )
}

/** Why a profile has a source skipped, a sentence; with the figures that it was found by, where somebody has looked. */
export function skipByProfile({ name }: Pick<Profile, 'name'>, facts?: SourceFacts): string {
  return `profile ${name} says skip${facts === undefined ? '' : `: ${factsText(facts)}`}`
}

function factsText({ codec, width, height, is_hdr, bit_rate }: SourceFacts): string {
  const rate = bit_rate === null ? '' : ` at ${rateText(bit_rate)}`
  return `${codec}${rate} in ${width}x${height}${is_hdr ? ', HDR' : ''}`
}

function rateText(bits: number): string {
  return bits < 999_500 ? `${Math.round(bits / 1000)} kb/s` : `${(bits / 1e6).toFixed(1)} Mb/s`
}

function isWithin(value: number | null, min: number | undefined, max: number | undefined): boolean {
  if (min === undefined && max === undefined) return true
  return value !== null && value >= (min ?? -Infinity) && value <= (max ?? Infinity)
}

function rateBound({ codec, bitrate, quality, max_bitrate, audio_bitrate }: ConversionSettings): number | undefined {
  const hasRate = quality === null && codec !== 'ffv1' && codec !== 'prores'
  const picture = hasRate ? bitrate : max_bitrate
  return picture === null ? undefined : (picture + audio_bitrate) * rateTolerance
}

/** FFmpeg reads mp4 and mov alike, and so it does mkv and webm: their names tell them apart. */
function containerOf(source_path: string, { format }: SourceFacts): Container | undefined {
  const isNamed = (extension: string) => source_path.toLowerCase().endsWith(extension)
  if (format === 'mov') return isNamed('.mov') ? 'mov' : 'mp4'
  if (format === 'matroska') return isNamed('.webm') ? 'webm' : 'mkv'
  return undefined
}
