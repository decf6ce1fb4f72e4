import type { Container } from '../../../contract/conversion.ts'
import type { MediaInfo, VideoStream } from '../../probe/media-info.ts'
import { statistics, tagText } from './track-tags.ts'

/** More would tell nobody anything. */
const maxNamed = 5

/** The tags of a source that a container has no place for, in a note; none where nothing is lost that people wrote. */
export function lostTagNotes(info: MediaInfo, main: VideoStream, container: Container): string[] {
  const lost = lostTags(info, main, container)
  if (lost.length === 0) return []
  const named = lost.slice(0, maxNamed).map(printable).join(', ')
  const more = lost.length > maxNamed ? ` and ${lost.length - maxNamed} more` : ''
  const were = lost.length === 1 ? '1 tag was' : `${lost.length} tags were`
  return [`${were} dropped: ${container} has no place for ${named}${more}`]
}

/**
 * By FFmpeg's list of what its muxer writes, in any letter case; 5.1 as 9.0, tried with both. Of mov's `keywords` it does not
 * read back what it writes.
 */
const held: Record<Container, ReadonlySet<string> | null> = {
  mp4: words(
    'title artist album_artist composer album date comment genre copyright grouping lyrics description synopsis show',
    'episode_id episode_sort season_number network keywords track disc tmpo compilation gapless_playback hd_video',
    'media_type creation_time location',
  ),
  mov: words('title artist author album date comment genre copyright keywords make model creation_time location'),
  // Both take every name.
  mkv: null,
  webm: null,
}

/** What Apple's cameras call what `fileTags` writes by another name. */
const camera: Record<string, string> = {
  'com.apple.quicktime.make': 'make',
  'com.apple.quicktime.model': 'model',
  'com.apple.quicktime.location.iso6709': 'location',
}

/** What files and programs say of themselves: mov, MXF and Windows Media. */
const technical = [
  /^(major_brand|minor_version|compatible_brands|encoder|handler_name|vendor_id)$/i,
  /^((generation_|product_)?uid|company_name|product_name|(product|toolkit)_version(_num)?|application_platform)$/i,
  /^(operational_pattern_ul|file_package_umid|wmfsdk\w+|isvbr|deviceconformancetemplate|asfleakybucketpairs)$/i,
  statistics,
]

function lostTags({ tag_names: names, streams }: MediaInfo, main: VideoStream, container: Container): string[] {
  const known = held[container]
  if (known === null) return []
  // A time code that is a track too is told of as that.
  const hasTrack = streams.some((stream) => stream.kind === 'data' && stream.codec_tag === 'tmcd')
  const timeCodes = main.tag_names.filter(isTimeCode)
  const all = [...names, ...timeCodes].filter((name) => !(hasTrack && isTimeCode(name)))
  const keys = new Set(names.map(keyOf))
  const spelled = new Map<string, string>()
  for (const name of all) {
    const key = keyOf(name)
    const isLost = !known.has(key) && !technical.some((pattern) => pattern.test(name))
    if (isLost && !spelled.has(key) && !isTranslation(name, keys)) spelled.set(key, name)
  }
  return [...spelled.values()]
}

function isTimeCode(name: string): boolean {
  return name.toLowerCase() === 'timecode'
}

function keyOf(name: string): string {
  const lower = name.toLowerCase()
  return camera[lower] ?? lower
}

/** FFmpeg tells a tag with a language, `title-eng`, a second time beside the tag itself. */
function isTranslation(name: string, keys: ReadonlySet<string>): boolean {
  const [, base] = /^(.+)-[a-z]{2,3}$/.exec(name) ?? []
  return base !== undefined && keys.has(keyOf(base))
}

/** A name without signs that nobody sees, and not endless. */
function printable(name: string): string {
  return tagText(name.slice(0, 60).replace(/\p{C}+/gu, ' ')) || 'one without a name'
}

function words(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')))
}
