import { join } from 'node:path'
import type { Container } from '../../contract/conversion.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import type { ConversionPlan } from '../plan.ts'
import type { AudioPlan } from '../plan/sound/audio.ts'
import { isMov } from '../plan/streams/container-holds.ts'
import type { ExtraPlan } from '../plan/streams/extras.ts'
import type { SubtitlePlan } from '../plan/streams/subtitles.ts'
import type { Tag } from '../plan/streams/track-tags.ts'
import { copiedTagArgs, detachedLabel } from './detached-film.ts'

/** Input options of the decoders of sound and subtitles. */
export function decoderArgs({ audio, subtitles }: ConversionPlan): string[] {
  return [...audio, ...subtitles].flatMap((track) => track.decode)
}

/** What goes into the result: the film first, then sound, subtitles, covers, attachments. */
export function mapArgs(plan: ConversionPlan): string[] {
  const [film, ...others] = mappedStreams(plan).map(({ stream_index: index }) => `0:${index}`)
  return [plan.video.is_detached ? detachedLabel : film, ...others].flatMap((name = '') => ['-map', name])
}

/** Codecs, filters, flags and tags of all streams but the film's codec and filters. */
export function streamArgs(plan: ConversionPlan, workPath: string): string[] {
  const { audio, subtitles, attachments, file_tags: fileTags, flags } = plan
  const covers = mappedCovers(plan)
  return [
    ...audio.flatMap((track, position) => audioArgs(track, position, plan.container)),
    ...subtitles.flatMap(subtitleArgs),
    ...covers.flatMap((_, position) => [`-c:v:${position + 1}`, 'copy']),
    ...attachments.flatMap((_, position) => [`-c:t:${position}`, 'copy']),
    ...attachedCovers(plan).flatMap((cover) => ['-attach', fileUrl(coverPath(workPath, cover))]),
    ...(plan.video.is_detached ? copiedTagArgs(mappedStreams(plan)) : []),
    ...flags.flatMap(({ kind, position, value }) => [`-disposition:${kind}:${position}`, value]),
    ...fileTags.flatMap(([name, value]) => ['-metadata', `${name}=${value}`]),
    ...tagArgs(plan, 'v', [plan.video, ...covers]),
    ...tagArgs(plan, 'a', audio),
    ...tagArgs(plan, 's', subtitles),
    ...[...attachments, ...attachedCovers(plan)].flatMap((extra, position) => fileArgs(extra, position)),
  ]
}

/** Where the file lies that a cover is attached from: in the conversion's own folder. */
export function coverPath(workPath: string, { stream_index: index }: ExtraPlan): string {
  return join(workPath, `cover-${index}`)
}

/**
 * The argv but the program that writes a cover's bytes as they are into a file: FFmpeg's Matroska takes attachments from
 * files or from Matroska, but no pictures of another stream.
 */
export function coverArgs(cover: ExtraPlan, inputPath: string, workPath: string): string[] {
  return [
    ['-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-y', ...inputLimits],
    ['-i', fileUrl(inputPath), '-map', `0:${cover.stream_index}`, '-c', 'copy', '-frames:v', '1'],
    ['-f', 'rawvideo', fileUrl(coverPath(workPath, cover))],
  ].flat()
}

/** Covers that are attached from files of their own. */
export function attachedCovers({ covers, container }: ConversionPlan): ExtraPlan[] {
  return isMov(container) ? [] : covers
}

/** The source's streams that are streams of the result, in its order, and whether they stay as they are. */
function mappedStreams(plan: ConversionPlan): { stream_index: number; is_copied: boolean }[] {
  const { video, audio, subtitles, attachments } = plan
  const tracks = [...audio, ...subtitles].map((track) => ({ ...track, is_copied: track.encoder === 'copy' }))
  const files = [...mappedCovers(plan), ...attachments].map((file) => ({ ...file, is_copied: true }))
  return [{ ...video, is_copied: false }, ...tracks, ...files]
}

/** Covers that are a stream of the result. */
function mappedCovers({ covers, container }: ConversionPlan): ExtraPlan[] {
  return isMov(container) ? covers : []
}

/**
 * What an edit list hides in front of a track is before time zero. Matroska cannot hide it: a copy goes without it, but for
 * the packets that a decoder needs to begin with, two at most.
 */
const withoutHidden = String.raw`noise=drop=lt(pts+2*duration\,0)*not(eq(pts\,nopts))`

function audioArgs(track: AudioPlan, position: number, container: Container): string[] {
  if (track.encoder === 'copy') {
    return [`-c:a:${position}`, 'copy', ...(isMov(container) ? [] : [`-bsf:a:${position}`, withoutHidden])]
  }
  // Holes in the sound are filled with silence: an encoder only counts samples, so what follows would come too early.
  return [
    [`-filter:a:${position}`, ['aresample=async=1', ...track.filters].join(',')],
    [`-c:a:${position}`, track.encoder],
    track.bitrate === null ? [] : [`-b:a:${position}`, String(track.bitrate)],
    track.sample_rate === null ? [] : [`-ar:a:${position}`, String(track.sample_rate)],
  ].flat()
}

function subtitleArgs({ encoder }: SubtitlePlan, position: number): string[] {
  // A line that only draws has no text left, and FFmpeg reads a webm no further than to one without text.
  const bitstream = encoder === 'webvtt' ? [`-bsf:s:${position}`, String.raw`noise=drop=eq(size\,0)`] : []
  return [`-c:s:${position}`, encoder, ...bitstream]
}

function tagArgs(
  plan: ConversionPlan,
  kind: 'v' | 'a' | 's',
  tracks: readonly Pick<SubtitlePlan, 'stream_index'>[],
): string[] {
  return tracks.flatMap(({ stream_index: index }, position) => {
    const tags: readonly Tag[] = plan.track_tags.get(index) ?? []
    return tags.flatMap(([name, value]) => [`-metadata:s:${kind}:${position}`, `${name}=${value}`])
  })
}

/** Said of all, since Matroska takes no attachment without both. */
function fileArgs({ file_name: name, media_type: type }: ExtraPlan, position: number): string[] {
  return [`filename=${name}`, `mimetype=${type}`].flatMap((tag) => [`-metadata:s:t:${position}`, tag])
}
