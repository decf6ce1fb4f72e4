import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { ColorSaid, Contents, SubtitleSaid } from './recipe.ts'

/** Into what the corpus is converted, by name; what is left out is of no matter here. */
export const targets = {
  'h264.mp4': { codec: 'h264', audio_codec: 'aac', container: 'mp4' },
  'h264.mkv': { codec: 'h264', audio_codec: 'opus', container: 'mkv' },
  'hevc.mp4': { codec: 'hevc', audio_codec: 'aac', container: 'mp4' },
  'hevc.mkv': { codec: 'hevc', audio_codec: 'opus', container: 'mkv' },
  'av1.webm': { codec: 'av1', audio_codec: 'opus', container: 'webm' },
  'vp9.webm': { codec: 'vp9', audio_codec: 'opus', container: 'webm' },
  'ffv1.mkv': { codec: 'ffv1', audio_codec: 'copy', container: 'mkv' },
  'prores.mov': { codec: 'prores', audio_codec: 'aac', container: 'mov' },
} as const satisfies Record<string, Pick<ConversionSettings, 'codec' | 'audio_codec' | 'container'>>

export type TargetName = keyof typeof targets
export type Target = (typeof targets)[TargetName]

/** What must come out of a clip, as the product promises it. */
export interface Promised {
  size: Contents['size']
  /** Bits per sample. */
  depth: number
  /** Null where the source says nothing. */
  color: ColorSaid | null
  /** Whether the pixels must look as they did, HDR being shown as HDR. */
  is_same_look: boolean
  /** Null where nothing is promised: in ffv1 and prores only the container could hold them. */
  mastering: boolean | null
  light_level: boolean | null
  /** Codecs that will do, in order. */
  subtitles: (SubtitleSaid & { becomes: readonly string[] })[]
  chapters: readonly string[]
  attachments: number
  covers: number
  /** What the notes must speak of, and of nothing else of these kinds. */
  notes: NoteKind[]
  /** The sentence that the encoder's limit is named with; null where it can. */
  refused: RegExp | null
}

/** How notes speak of what is dropped. */
export const noteKinds = {
  subtitle: /subtitle.*dropped/,
  attachment: /attachment|font/,
  cover: /cover/,
  data: /data track/,
  film: /video track|video stream/,
  transparency: /transparen/,
} as const
export type NoteKind = keyof typeof noteKinds

const bt709: ColorSaid = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }

/** Pure: what a conversion to a target owes to a clip. */
export function promisedOf(holds: Contents, target: Target): Promised {
  const { codec, container } = target
  const keepsTen = codec !== 'h264' && codec !== 'vp9'
  const isToned = holds.hdr !== null && !keepsTen
  const holdsHdr = codec !== 'ffv1' && codec !== 'prores'
  const subtitles = holds.subtitles.map((said) => ({ ...said, becomes: becomes(said.codec, container) }))
  const dropped: [NoteKind, boolean][] = [
    ['subtitle', subtitles.some((track) => track.becomes.length === 0)],
    ['attachment', holds.attachments > 0 && container !== 'mkv'],
    ['cover', holds.covers > 0 && container === 'webm'],
    ['data', holds.data > 0],
    ['film', holds.films > 1],
    ['transparency', holds.has_alpha],
  ]
  return {
    size: holds.size,
    depth: codec === 'prores' ? 10 : codec === 'ffv1' ? holds.depth : keepsTen && holds.depth > 8 ? 10 : 8,
    color: isToned ? bt709 : holds.color,
    is_same_look: !isToned,
    mastering: holdsHdr ? !isToned && holds.hdr?.mastering === true : null,
    light_level: holdsHdr ? !isToned && holds.hdr?.light_level === true : null,
    subtitles: subtitles.filter((track) => track.becomes.length > 0),
    chapters: holds.chapters,
    attachments: container === 'mkv' ? holds.attachments : 0,
    covers: container === 'webm' ? 0 : holds.covers,
    notes: dropped.filter(([, isDropped]) => isDropped).map(([kind]) => kind),
    refused: refusal(holds, target),
  }
}

const isText = /^(subrip|ass|webvtt|mov_text|text)$/

/** As what subtitles go on; empty where the container has no place for them. */
function becomes(codec: string, container: Target['container']): readonly string[] {
  if (container === 'mkv') return codec === 'mov_text' ? ['subrip'] : [codec]
  if (!isText.test(codec)) return []
  return container === 'webm' ? ['webvtt'] : ['mov_text']
}

/** Pixels of a side that an encoder needs. */
const smallestSide: Partial<Record<Target['codec'], number>> = { av1: 64, hevc: 16 }

function refusal({ size }: Contents, { codec }: Target): RegExp | null {
  const least = smallestSide[codec] ?? 0
  if (Math.min(...size) >= least) return null
  return new RegExp(`^${codec} needs at least ${least} x ${least} pixels, and this picture is ${size.join(' x ')}$`)
}

/** Layouts that codecs have no word for, and the next larger one that they know. */
const larger: Record<'aac' | 'opus' | 'copy', Record<string, string>> = {
  aac: { '2.1': '5.1', quad: '5.0', '5.1(side)': '5.1', '6.1': '7.1' },
  // FFmpeg writes opus in 5.0 and 6.1 with its channels in the wrong order.
  opus: { '2.1': '5.1', '4.0': '5.1', '5.0': '5.1', '5.1(side)': '5.1', '6.1': '7.1' },
  copy: {},
}

/** The layout that a codec takes for one of the source's, with no channel lost. */
export function layoutFor(layout: string, codec: Target['audio_codec']): string {
  return larger[codec][layout] ?? layout
}
