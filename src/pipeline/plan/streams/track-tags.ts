import type { Container } from '../../../contract/conversion.ts'
import type { MediaInfo, StreamFacts } from '../../probe/media-info.ts'
import { isMov } from './container-holds.ts'
import { languageFor } from './languages.ts'

/** A tag of the result that FFmpeg's own copying gets wrong; an empty value removes it. */
export type Tag = readonly [name: string, value: string]

/**
 * What is to be said of a track beyond the source's own tags, which FFmpeg copies. `isCopied`: the track stays as it is, and
 * figures about it stay true.
 */
export function trackTags(source: StreamFacts, container: Container, isCopied: boolean): Tag[] {
  const { title, tag_names: names } = source
  const language = languageFor(source.language, container)
  return [
    ...names.filter((name) => isStale(name, container, isCopied)).map((name): Tag => [name, '']),
    ...(language === null ? [] : [['language', language] as const]),
    ...(title === null ? [] : titleTags(tagText(title), names, container)),
  ]
}

/**
 * The same for the whole file. Apple's keys are lost in mp4 and mov: FFmpeg writes either them or the tags that everyone
 * else reads. So what they say is said in those.
 */
export function fileTags({ tag_names: names, camera_tags: camera }: MediaInfo, container: Container): Tag[] {
  if (!isMov(container)) return names.filter((name) => ofBrand.test(name)).map((name): Tag => [name, ''])
  const missing = Object.entries(camera).filter(([name]) => !names.includes(name))
  return missing.map(([name, value]): Tag => [name, tagText(value)])
}

/** FFmpeg reads and writes mov's name of a track as a title from 6 on; what handles a track is known to everyone. */
function titleTags(title: string, names: readonly string[], container: Container): Tag[] {
  return [
    ...(names.includes('title') ? [] : [['title', title] as const]),
    ...(isMov(container) ? [['handler_name', title] as const] : []),
  ]
}

/** Statistics of Matroska's tools, which would be those of another track. */
export const statistics = /^(BPS|DURATION|NUMBER_OF_FRAMES|NUMBER_OF_BYTES|_STATISTICS_\w+)(-\w{2,8})?$/
/** What an mp4 says of itself. */
const ofMov = /^(handler_name|vendor_id|name)$/
const ofBrand = /^(major_brand|minor_version|compatible_brands)$/

function isStale(name: string, container: Container, isCopied: boolean): boolean {
  if (isMov(container)) return false
  return ofMov.test(name) || (!isCopied && statistics.test(name))
}

/** A text of the source as an argument: without what ends a text or moves a cursor, and not endless. */
export function tagText(text: string): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, 500)
}
