import type { Container } from '../../../contract/conversion.ts'
import type { MediaInfo, SubtitleStream } from '../../probe/media-info.ts'
import { holdsSubtitle, isMov } from './container-holds.ts'
import { type Decision, dropped } from './decision.ts'

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
  const sources = info.streams.filter((stream) => stream.kind === 'subtitle')
  const decisions = new Map(sources.map((source) => [source.index, decide(source, container)]))
  const tracks = sources.flatMap((source) => {
    const decision = decisions.get(source.index)
    return decision === undefined || decision.action === 'drop' ? [] : [trackOf(source, decision, container)]
  })
  return { tracks, notes: styleNotes(sources, decisions, container), decisions }
}

/**
 * What text loses on its way. Only ass surely has what is lost; of others nobody knows before all of it is read. mov shows
 * one text at a time: FFmpeg ends a cue where the next begins, and does not take it up again.
 */
function styleNotes(
  sources: readonly SubtitleStream[],
  decisions: SubtitlesPlan['decisions'],
  container: Container,
): string[] {
  const reasonOf = ({ index }: SubtitleStream) => {
    const decision = decisions.get(index)
    return decision?.action === 'convert' ? decision.reason : null
  }
  const ends = isMov(container) ? ', and cues that overlap are shortened' : ''
  const ofStyled = sources.flatMap((source, position) => {
    const reason = reasonOf(source)
    if (reason === null || !styled.test(source.codec)) return []
    return [`subtitle track ${position + 1} lost its styling${ends}: ${reason}`]
  })
  const others = sources.filter((source) => reasonOf(source) !== null && !styled.test(source.codec))
  const [first] = others
  // Matroska's text has colours and positions too.
  if (first === undefined || container === 'mkv') return ofStyled
  const [which, keep] =
    others.length === 1
      ? [`subtitle track ${sources.indexOf(first) + 1}`, 'keeps']
      : [`${others.length} subtitle tracks`, 'keep']
  return [...ofStyled, `${which} ${keep} no colours or positions${ends}: ${reasonOf(first)}`]
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
