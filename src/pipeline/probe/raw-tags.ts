import { positive } from './raw-values.ts'

/** Tags of a file or a stream, by their names. */
export type RawTags = Record<string, string>

/** What Apple's cameras say in a way of their own, by the names that all others have for it. */
export function cameraTags(tags: RawTags): Record<string, string> {
  const names = ['make', 'model', 'location'] as const
  const apples = { make: 'make', model: 'model', location: 'location.ISO6709' }
  const told = names.map((name) => [name, tags[`com.apple.quicktime.${apples[name]}`]] as const)
  return Object.fromEntries(told.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/**
 * What people call a track; null where they do not. mov has a name for each track since late, and before it people used
 * that of what handles the track.
 */
export function titleOf(tags: RawTags): string | null {
  const name = tags['title'] ?? tags['name'] ?? tags['handler_name'] ?? ''
  const isOfProgram = tags['title'] === undefined && programNames.test(name)
  return name.trim() === '' || isOfProgram ? null : name.trim()
}

/** What programs call their tracks, whatever is in them. */
const programNames =
  /handler|core media|gpac|mainconcept|iso media|l-smash|bento4|google|apple|gopro|dji|^(video|audio|sound|text|subtitle)s?(track| media)?$|^(stereo|mono|surround)$/i

/**
 * Bits per second from the statistics that Matroska's own tools write. FFmpeg copies them onto what it encodes, where they
 * are those of another track.
 */
export function taggedRate(tags: RawTags): number | null {
  if ((tags['ENCODER'] ?? tags['encoder'] ?? '').startsWith('Lavc')) return null
  const name = Object.keys(tags).find((key) => /^BPS(-\w+)?$/.test(key))
  return name === undefined ? null : positive(tags[name])
}
