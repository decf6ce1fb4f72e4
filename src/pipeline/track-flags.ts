import type { StreamFacts } from './media-info.ts'

/** The flags of one track of the result, for `-disposition`. */
export interface TrackFlags {
  kind: 'a' | 's'
  /** Among the result's tracks of its kind. */
  position: number
  /** FFmpeg's names with a plus between; `0` for none. */
  value: string
}

/**
 * The source's own flags where FFmpeg would not simply copy them: of two or more tracks none of which is the default one it
 * makes the first the default, and so shows subtitles to those who want none.
 */
export function flagsOf(kind: TrackFlags['kind'], tracks: readonly StreamFacts[]): TrackFlags[] {
  if (tracks.length < 2 || tracks.some(({ dispositions }) => dispositions.includes('default'))) return []
  return tracks.map(({ dispositions }, position) => ({ kind, position, value: dispositions.join('+') || '0' }))
}
