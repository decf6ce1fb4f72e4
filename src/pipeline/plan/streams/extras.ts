import type { Container } from '../../../contract/conversion.ts'
import type { AttachmentStream, DataStream, MediaInfo, VideoStream } from '../../probe/media-info.ts'
import { holdsCover } from './container-holds.ts'
import { type Decision, dropped } from './decision.ts'

/** A picture or a file that goes along with the film. */
export interface ExtraPlan {
  stream_index: number
  /** The picture's codec; null for a file, which nobody looks into. */
  codec: string | null
  /** As a file, whatever the container makes of it. */
  file_name: string
  media_type: string
}

/** What becomes of all that is no picture, sound or subtitle of the film. */
export interface ExtrasPlan {
  covers: ExtraPlan[]
  attachments: ExtraPlan[]
  decisions: ReadonlyMap<number, Decision>
}

/** Why the track that holds the titles of an mp4's chapters is left out: nothing is lost by it. */
export const titlesAreKept = 'the titles of the chapters, which are kept as chapters'

/** Plans cover art, attachments and data; and the films beside the main one, of which there can be but one. */
export function planExtras(info: MediaInfo, main: VideoStream, container: Container): ExtrasPlan {
  const covers: ExtraPlan[] = []
  const attachments: ExtraPlan[] = []
  const decisions = new Map<number, Decision>()
  for (const stream of info.streams) {
    if (stream.kind === 'video' && stream.index !== main.index) {
      const decision = stream.is_cover ? decideCover(stream, container) : dropped(otherFilm)
      decisions.set(stream.index, decision)
      if (decision.action === 'copy') covers.push(coverOf(stream, covers.length))
    } else if (stream.kind === 'attachment') {
      const decision = decideAttachment(stream, container)
      decisions.set(stream.index, decision)
      if (decision.action === 'copy') attachments.push(attachmentOf(stream))
    } else if (stream.kind === 'data' || stream.kind === 'unknown') {
      decisions.set(stream.index, dropped(dataReason(stream, info)))
    }
  }
  return { covers, attachments, decisions }
}

/** A result has one film. */
const otherFilm = 'another video track: only the main one is converted'

function decideCover({ codec }: VideoStream, container: Container): Decision {
  if (holdsCover(container, codec)) return { action: 'copy', to: codec, reason: 'cover art' }
  return dropped(
    container === 'webm' || container === 'mov'
      ? `${container} holds no cover art`
      : `${container} holds no ${codec} as cover art`,
  )
}

function coverOf({ index, codec, file_name }: VideoStream, before: number): ExtraPlan {
  const [extension, media_type] = pictureTypes[codec] ?? ['jpg', 'image/jpeg']
  const name = before === 0 ? `cover.${extension}` : `cover-${before + 1}.${extension}`
  return { stream_index: index, codec, file_name: file_name ?? name, media_type }
}

const pictureTypes: Record<string, [extension: string, mediaType: string]> = {
  mjpeg: ['jpg', 'image/jpeg'],
  png: ['png', 'image/png'],
  gif: ['gif', 'image/gif'],
  bmp: ['bmp', 'image/bmp'],
  webp: ['webp', 'image/webp'],
  tiff: ['tiff', 'image/tiff'],
}

function decideAttachment({ codec, media_type }: AttachmentStream, container: Container): Decision {
  if (container !== 'mkv') return dropped(`${container} holds no attachments`)
  return { action: 'copy', to: codec, reason: `mkv holds attachments (${media_type ?? 'of an unknown kind'})` }
}

function attachmentOf({ index, file_name, media_type }: AttachmentStream): ExtraPlan {
  const [name, type] = [file_name ?? `attachment-${index}`, media_type ?? 'application/octet-stream']
  return { stream_index: index, codec: null, file_name: name, media_type: type }
}

/** By FFmpeg's name of the codec, or the four letters that mov has for it. */
const dataKinds: [RegExp, string][] = [
  [/^tmcd$/, 'a time code track'],
  [/^(gpmd|camm|mebx|mett|fdsc|rtmd)$/, "a camera's measurements"],
  [/^(smpte_)?klv$/i, 'KLV measurements'],
  [/^(timed_id3|id3)$/i, 'timed tags'],
  [/^scte_35$/, 'marks for advertising'],
  [/^(c608|c708|eia_608)$/, 'closed captions'],
  [/^epg$/, 'a programme guide'],
  [/^(hint|rtp )$/, 'hints for streaming'],
]

function dataReason({ kind, codec, codec_tag }: DataStream, info: MediaInfo): string {
  if (codec_tag === 'text' && info.formats.includes('mov') && info.chapter_count > 0) return titlesAreKept
  const what = dataKinds.find(([pattern]) => pattern.test(codec) || pattern.test(codec_tag))?.[1]
  if (what !== undefined) return what
  if (kind === 'unknown') return 'of a kind that is not known'
  return `data of the kind ${codec === 'bin_data' ? codec_tag : codec}`
}
