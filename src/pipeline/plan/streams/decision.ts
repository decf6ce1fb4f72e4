import type { MediaStream } from '../../probe/media-info.ts'

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

/** Decisions by the number of the source's stream. */
export type Decisions = ReadonlyMap<number, Decision>

/** A stream that is left out. */
export function dropped(reason: string): Decision {
  return { action: 'drop', to: null, reason }
}
