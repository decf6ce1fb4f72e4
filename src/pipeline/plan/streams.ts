import type { ConversionSettings } from '../../contract/conversion.ts'
import type { MediaInfo, MediaStream, VideoStream } from '../probe/media-info.ts'
import { type AudioPlan, planAudio } from './sound/audio.ts'
import type { Decision, StreamDecision } from './streams/decision.ts'
import type { ExpectedStreams } from './streams/expected-streams.ts'
import { type ExtraPlan, planExtras } from './streams/extras.ts'
import { lostTagNotes } from './streams/lost-tags.ts'
import { droppedNotes } from './streams/notes.ts'
import { planSubtitles, type SubtitlePlan } from './streams/subtitles.ts'
import { flagNotes, flagsOf, type TrackFlags } from './streams/track-flags.ts'
import { fileTags, type Tag, trackTags } from './streams/track-tags.ts'

/** Which streams go into the result and how; each list in the source's order. */
export interface StreamsPlan {
  audio: AudioPlan[]
  subtitles: SubtitlePlan[]
  covers: ExtraPlan[]
  attachments: ExtraPlan[]
  /** Whether the source's chapters are carried over: not where all of them end before the film begins. */
  keeps_chapters: boolean
  /** Tags that FFmpeg's copying would get wrong, of the file and by the number of the source's stream. */
  file_tags: Tag[]
  track_tags: ReadonlyMap<number, Tag[]>
  /** Flags of tracks where FFmpeg's own rule would set others. */
  flags: TrackFlags[]
  /** What becomes of each stream of the source, in its order. */
  streams: StreamDecision[]
  /** What was dropped or changed by rule, a sentence each. */
  notes: string[]
  expected: ExpectedStreams
}

/** Decides what becomes of every stream of a source whose film is `main`. */
export function planStreams(info: MediaInfo, main: VideoStream, settings: ConversionSettings): StreamsPlan {
  const { container } = settings
  const audio = planAudio(info, settings)
  const subtitles = planSubtitles(info, container)
  const extras = planExtras(info, main, container)
  const film: Decision = { action: 'encode', to: settings.codec, reason: 'the film' }
  const decisions = new Map([[main.index, film], ...audio.decisions, ...subtitles.decisions, ...extras.decisions])
  const { covers, attachments } = extras
  const sourcesOf = (tracks: readonly (AudioPlan | SubtitlePlan)[]) =>
    tracks.flatMap(({ stream_index: index }) => info.streams.filter((stream) => stream.index === index))
  const expectedTracks = (tracks: readonly (AudioPlan | SubtitlePlan)[]) =>
    sourcesOf(tracks).map(({ language }, position) => ({ codec: tracks[position]?.codec ?? '', language }))
  return {
    audio: audio.tracks,
    subtitles: subtitles.tracks,
    covers,
    attachments,
    keeps_chapters: info.chapter_count > 0 || info.early_chapter_count === 0,
    file_tags: fileTags(info, container),
    track_tags: new Map(
      info.streams.map((stream) => {
        const isCopied = decisions.get(stream.index)?.action === 'copy'
        return [stream.index, trackTags(stream, container, isCopied)]
      }),
    ),
    flags: [...flagsOf('a', sourcesOf(audio.tracks)), ...flagsOf('s', sourcesOf(subtitles.tracks))],
    streams: info.streams.flatMap(({ index, kind, codec, language }) => {
      const decision = decisions.get(index)
      return decision === undefined ? [] : [{ index, kind, codec, language, ...decision }]
    }),
    notes: [
      ...flagNotes([main], container, () => 'the film'),
      ...audio.notes,
      ...flagNotes(sourcesOf(audio.tracks), container, (number) => `audio track ${number}`),
      ...subtitles.notes,
      ...flagNotes(sourcesOf(subtitles.tracks), container, (number) => `subtitle track ${number}`),
      ...droppedNotes(info, decisions),
      ...lostTagNotes(info, main, container),
    ],
    expected: {
      audio: expectedTracks(audio.tracks).map((track, position) => ({
        ...track,
        ...expectedTimes(sourcesOf(audio.tracks)[position], info, main),
        channels: audio.tracks[position]?.channels ?? 0,
      })),
      subtitles: expectedTracks(subtitles.tracks),
      extras: covers.length + attachments.length,
      chapters: info.chapter_count,
    },
  }
}

/** Broadcasts begin and end wherever they were cut, each track for itself. */
function expectedTimes(track: MediaStream | undefined, { formats }: MediaInfo, main: VideoStream) {
  const isCut = formats.some((name) => name === 'mpegts' || name === 'mpeg')
  if (track?.kind !== 'audio' || isCut) return { seconds: null, delay_seconds: null }
  const { duration_seconds: seconds, start_seconds: start } = track
  const delay_seconds = start === null || main.start_seconds === null ? null : start - main.start_seconds
  return { seconds, delay_seconds }
}
