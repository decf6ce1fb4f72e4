import type { Container } from '../../../contract/conversion.ts'
import type { StreamFacts } from '../../probe/media-info.ts'

/** The flags of one track of the result, for `-disposition`. */
export interface TrackFlags {
  kind: 'v' | 'a' | 's'
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
  return tracks.map(({ dispositions }, position) => ({ kind, position, value: flagList(dispositions) }))
}

/** The same of a film whose flags FFmpeg does not copy. */
export function filmFlags({ dispositions }: StreamFacts): TrackFlags {
  return { kind: 'v', position: 0, value: flagList(dispositions) }
}

function flagList(dispositions: readonly string[]): string {
  return dispositions.join('+') || '0'
}

/** Flags that FFmpeg's muxers write, 5.1 as 9.0, by the list of all of them: what comes back was tried. */
const held: Record<Container, RegExp> = {
  mp4: /^(default|dub|comment|forced|hearing_impaired|visual_impaired|captions|descriptions)$/,
  mkv: /^(default|dub|original|comment|forced|hearing_impaired|visual_impaired)$/,
  webm: /^(default|forced)$/,
  mov: /^default$/,
}
/** The same said twice, as mp4 says it. */
const twins: Record<string, string> = { captions: 'hearing_impaired', descriptions: 'visual_impaired' }

/** A note for each track, which `nameOf` names by its number from 1, some of whose flags a container cannot hold. */
export function flagNotes(
  tracks: readonly StreamFacts[],
  container: Container,
  nameOf: (number: number) => string,
): string[] {
  return tracks.flatMap(({ dispositions }, position) => {
    const lost = dispositions.filter((flag) => {
      const twin = twins[flag]
      return !held[container].test(flag) && !(twin !== undefined && dispositions.includes(twin))
    })
    if (lost.length === 0) return []
    const which = lost.length === 1 ? `its flag ${lost[0]}` : `its flags ${lost.join(', ')}`
    return [`${nameOf(position + 1)} lost ${which}, which ${container} does not hold`]
  })
}
