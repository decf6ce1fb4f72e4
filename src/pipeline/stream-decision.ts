import type { MediaInfo, MediaStream } from './media-info.ts'

/** What becomes of one stream of the source, and why. */
export interface StreamDecision {
  /** In the source. */
  index: number
  kind: MediaStream['kind']
  /** Of the source, as ffprobe names it. */
  codec: string
  language: string | null
  /** `encode` for picture and sound, `convert` for subtitles. */
  action: 'encode' | 'copy' | 'convert' | 'drop'
  /** The result's codec, as ffprobe names it; null for what is dropped. */
  to: string | null
  /** A few plain words, no whole sentence: `cover art`. */
  reason: string
}

/** What a part of the plan decides of a stream; the rest is the stream's own. */
export type Decision = Pick<StreamDecision, 'action' | 'to' | 'reason'>

/** One decision for each stream, in the source's order. */
export function streamDecisions(info: MediaInfo, decide: (stream: MediaStream) => Decision): StreamDecision[] {
  return info.streams.map((stream) => {
    const { index, kind, codec, language } = stream
    return { index, kind, codec, language, ...decide(stream) }
  })
}

/** A stream that is left out. */
export function dropped(reason: string): Decision {
  return { action: 'drop', to: null, reason }
}
