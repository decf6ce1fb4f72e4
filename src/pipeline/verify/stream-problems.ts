import { formatClock } from '../../util/format.ts'
import type { ExpectedSound, ExpectedStreams, ExpectedTrack } from '../plan/streams/expected-streams.ts'
import { isSameLanguage } from '../plan/streams/languages.ts'
import type { MediaInfo } from '../probe/media-info.ts'

/** Seconds that a track may end sooner, at least and as a share of its length, or begin off. */
const tolerance = { least: 1, share: 0.02, delay: 1 }

/** How the streams of a result differ from those planned, a sentence each; empty when they do not. */
export function streamProblems(expected: ExpectedStreams, result: MediaInfo): string[] {
  const extras = result.streams.filter(
    (stream) => stream.kind === 'attachment' || (stream.kind === 'video' && stream.is_cover),
  )
  return [
    ...trackProblems('sound', expected.audio, tracksOf(result, 'audio')),
    ...soundProblems(expected.audio, result),
    ...trackProblems('subtitles', expected.subtitles, tracksOf(result, 'subtitle')),
    ...countProblems('covers and attachments', expected.extras, extras.length),
    ...countProblems('chapters', expected.chapters, result.chapter_count),
  ]
}

function tracksOf(result: MediaInfo, kind: 'audio' | 'subtitle'): ExpectedTrack[] {
  return result.streams.filter((stream) => stream.kind === kind)
}

function trackProblems(what: string, expected: readonly ExpectedTrack[], found: readonly ExpectedTrack[]): string[] {
  const [wanted, got] = [list(expected), list(found)]
  if (wanted !== got) return [`the result's ${what}: ${got}, not ${wanted}`]
  return expected.flatMap(({ language }, position) => {
    const other = found[position]?.language ?? null
    if (language === null || isSameLanguage(language, other)) return []
    return [`the result's ${what}: track ${position + 1} is ${other ?? 'of no language'}, not ${language}`]
  })
}

/**
 * Each track for itself: one that was cut off hides behind the film's length. Pictures that cannot be decoded at the start
 * of a cut film move its start, so small differences there tell nothing.
 */
function soundProblems(expected: readonly ExpectedSound[], result: MediaInfo): string[] {
  const found = result.streams.filter((stream) => stream.kind === 'audio')
  const film = result.streams.find((stream) => stream.kind === 'video' && !stream.is_cover)
  const filmStart = film?.kind === 'video' ? film.start_seconds : null
  if (found.length !== expected.length) return []
  return expected.flatMap(({ channels, seconds, delay_seconds: delay }, position) => {
    const track = found[position]
    if (track === undefined) return []
    const name = `the result's sound: track ${position + 1}`
    if (track.channels !== channels) return [`${name} has ${track.channels} channels, not ${channels}`]
    const length = track.duration_seconds
    if (
      seconds !== null &&
      length !== null &&
      length < seconds - Math.max(tolerance.least, seconds * tolerance.share)
    ) {
      return [`${name} ends at ${formatClock(length)} of ${formatClock(seconds)}`]
    }
    if (delay === null || filmStart === null || track.start_seconds === null) return []
    const off = track.start_seconds - filmStart - delay
    return Math.abs(off) > tolerance.delay ? [`${name} begins ${off.toFixed(1)} s off`] : []
  })
}

function countProblems(what: string, expected: number, found: number): string[] {
  return expected === found ? [] : [`the result has ${found} ${what}, not ${expected}`]
}

function list(tracks: readonly ExpectedTrack[]): string {
  return tracks.length === 0 ? 'none' : tracks.map(({ codec }) => codec).join(', ')
}
