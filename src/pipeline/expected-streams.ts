import { isSameLanguage } from './languages.ts'
import type { MediaInfo } from './media-info.ts'

/** Which streams a result must have beside its picture. */
export interface ExpectedStreams {
  /** In their order. */
  audio: ExpectedTrack[]
  subtitles: ExpectedTrack[]
  /** Covers and attachments together: Matroska keeps a cover as an attachment, which is read as a cover again. */
  extras: number
  chapters: number
}

/** A track of sound or subtitles. */
export interface ExpectedTrack {
  /** As ffprobe names it. */
  codec: string
  /** Null where the source names none; then the result's is not looked at. */
  language: string | null
}

/** How the streams of a result differ from those planned, a sentence each; empty when they do not. */
export function streamProblems(expected: ExpectedStreams, result: MediaInfo): string[] {
  const extras = result.streams.filter(
    (stream) => stream.kind === 'attachment' || (stream.kind === 'video' && stream.is_cover),
  )
  return [
    ...trackProblems('sound', expected.audio, tracksOf(result, 'audio')),
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

function countProblems(what: string, expected: number, found: number): string[] {
  return expected === found ? [] : [`the result has ${found} ${what}, not ${expected}`]
}

function list(tracks: readonly ExpectedTrack[]): string {
  return tracks.length === 0 ? 'none' : tracks.map(({ codec }) => codec).join(', ')
}
