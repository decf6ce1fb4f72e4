import { ConversionError } from '../../../contract/failure.ts'
import { isHdr, type StaticHdr } from '../../probe/hdr-metadata.ts'
import type { ColorTags, VideoStream } from '../../probe/media-info.ts'
import type { Picture } from './picture.ts'

/** What a result must show of its source's colour. */
export interface ExpectedColour extends StaticHdr {
  /** Null for what is not checked. */
  tags: ColorTags
}

/** Codecs whose encoders write the film's screen and light into the stream itself. */
const carrying = new Set(['hevc', 'av1'])

/** Throws `ConversionError` (step plan) for Dolby Vision whose pixels mean nothing to any other decoder. */
export function refuseDolbyVision({ hdr, color }: VideoStream): void {
  const dolby = hdr?.dolby_vision
  // Of 4 and 7, which have a base for others by definition, some files do not say so.
  const isBaseless = dolby?.compatibility === 0 && dolby.profile !== 4 && dolby.profile !== 7
  if (dolby?.profile !== 5 && !isBaseless && color.matrix !== 'ipt-c2') return
  const profile = dolby === undefined || dolby === null ? '' : ` profile ${dolby.profile}`
  throw new ConversionError(
    `Dolby Vision${profile} has no picture for other decoders in it, so its colours would come out wrong: convert a copy with an HDR10 base`,
    { class: 'permanent', step: 'plan' },
  )
}

/** What the result's stream is to say of its light; null for none, as where it is tone-mapped. */
export function staticMetadata({ source, codec, colour }: Picture): StaticHdr | null {
  const { mastering = null, light = null } = source.hdr ?? {}
  if (colour.tone_map !== null || !carrying.has(codec) || !isHdr(colour.result)) return null
  return mastering === null && light === null ? null : { mastering, light }
}

/** What is checked of the result; null where nothing depends on it, as with most SDR. */
export function expectedColour(picture: Picture): ExpectedColour | null {
  const { result, tone_map } = picture.colour
  if (tone_map === null && !isHdr(result)) return null
  const { mastering, light } = staticMetadata(picture) ?? { mastering: null, light: null }
  return { tags: result, mastering, light }
}

/** What a conversion does to HDR, a sentence each. */
export function hdrNotes(picture: Picture, filter: string): string[] {
  const { source, codec, colour } = picture
  if (colour.tone_map !== null) return [`HDR was tone-mapped to SDR by ${filter}`]
  const { hdr } = source
  const base = isHdr(colour.result) ? (colour.result.transfer === 'arib-std-b67' ? 'HLG' : 'HDR10') : 'SDR'
  return [
    ...(hdr?.dolby_vision ? [`Dolby Vision metadata was dropped; the ${base} base stays`] : []),
    ...(hdr?.has_hdr10_plus === true ? [`HDR10+ metadata was dropped; the ${base} base stays`] : []),
    ...(isHdr(colour.result) && !carrying.has(codec) && (hdr?.mastering ?? hdr?.light)
      ? [`${codec} itself cannot carry what the film says of its screen and light; only newer ffmpegs write it beside`]
      : []),
  ]
}
