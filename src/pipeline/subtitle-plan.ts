import type { Container } from '../contract/conversion.ts'
import { holdsSubtitle } from './container-holds.ts'
import type { MediaInfo, SubtitleStream } from './media-info.ts'
import { type Decision, dropped } from './stream-decision.ts'

/** How one subtitle track goes into the result. */
export interface SubtitlePlan {
  stream_index: number
  encoder: 'copy' | 'mov_text' | 'srt' | 'webvtt'
  /** The result's, as ffprobe names it. */
  codec: string
  /** Input options for its decoder. */
  decode: string[]
}

/** What becomes of the subtitles: `decisions` by the number of each source stream, `notes` of what they lose when kept. */
export interface SubtitlesPlan {
  tracks: SubtitlePlan[]
  notes: string[]
  decisions: ReadonlyMap<number, Decision>
}

/** Text that every build of FFmpeg can read. */
const text =
  /^(subrip|srt|ass|ssa|webvtt|mov_text|text|stl|microdvd|subviewer1?|sami|realtext|jacosub|mpl2|vplayer|pjs)$/
const styled = /^(ass|ssa)$/
const picture = /^(hdmv_pgs_subtitle|dvd_subtitle|dvb_subtitle|xsub)$/

/** What each container's players read text as; ffprobe's name of it where it is another than the encoder's. */
const textOf: Record<Container, { encoder: 'mov_text' | 'srt' | 'webvtt'; codec: string }> = {
  mp4: { encoder: 'mov_text', codec: 'mov_text' },
  mov: { encoder: 'mov_text', codec: 'mov_text' },
  mkv: { encoder: 'srt', codec: 'subrip' },
  webm: { encoder: 'webvtt', codec: 'webvtt' },
}

/** Plans every subtitle track of the source. */
export function planSubtitles(info: MediaInfo, container: Container): SubtitlesPlan {
  const tracks: SubtitlePlan[] = []
  const notes: string[] = []
  const decisions = new Map<number, Decision>()
  info.streams
    .filter((stream) => stream.kind === 'subtitle')
    .forEach((source, position) => {
      const decision = decide(source, container)
      decisions.set(source.index, decision)
      if (decision.action !== 'drop') tracks.push(trackOf(source, decision, container))
      if (decision.action === 'convert' && styled.test(source.codec)) {
        notes.push(`subtitle track ${position + 1} lost its styling: ${decision.reason}`)
      }
    })
  return { tracks, notes, decisions }
}

function decide({ codec }: SubtitleStream, container: Container): Decision {
  if (holdsSubtitle(container, codec)) return { action: 'copy', to: codec, reason: `${container} holds ${codec}` }
  const target = textOf[container].codec
  if (text.test(codec)) return { action: 'convert', to: target, reason: `${container} holds text as ${target} only` }
  if (picture.test(codec)) return dropped(`${container} holds no ${container === 'mkv' ? codec : 'picture'} subtitles`)
  return dropped(
    codec === 'unknown' || codec === 'none' ? 'its codec is not known' : `${container} does not hold ${codec}`,
  )
}

function trackOf(source: SubtitleStream, { action, to }: Decision, container: Container): SubtitlePlan {
  const base = { stream_index: source.index, codec: to ?? source.codec }
  if (action === 'copy') return { ...base, encoder: 'copy', decode: [] }
  // One line that is not UTF-8 would otherwise end the whole conversion; its bytes are kept as they are.
  const decode = [`-sub_charenc_mode:${source.index}`, 'ignore']
  return { ...base, encoder: textOf[container].encoder, decode }
}
