import * as v from 'valibot'
import { readHdrMetadata } from './hdr-metadata.ts'
import type { MediaInfo, MediaStream, StreamFacts, VideoStream } from './media-info.ts'
import { bitDepthOf } from './pixel-format.ts'
import { RawProbe, type RawStream } from './raw-probe.ts'
import { cameraTags, taggedRate, titleOf } from './raw-tags.ts'
import { duration, finite, known, positive, ratio, sinceStart } from './raw-values.ts'

/** Reads ffprobe's `-of json` with `-show_format -show_streams -show_chapters`. Throws when it is not that. */
export function parseMediaInfo(json: string): MediaInfo {
  const raw = v.parse(RawProbe, JSON.parse(json))
  const start = finite(raw.format.start_time) ?? 0
  const early = raw.chapters.filter(({ end_time: end }) => (finite(end) ?? 0) < start).length
  const isMatroska = raw.format.format_name.includes('matroska')
  return {
    formats: raw.format.format_name.split(','),
    duration_seconds: isMatroska
      ? sinceStart(raw.format.duration, raw.format.start_time)
      : duration(raw.format.duration),
    start_seconds: finite(raw.format.start_time),
    size_bytes: finite(raw.format.size) ?? 0,
    chapter_count: raw.chapters.length - early,
    early_chapter_count: early,
    tag_names: Object.keys(raw.format.tags),
    camera_tags: cameraTags(raw.format.tags),
    streams: raw.streams.map(toStream),
  }
}

function toStream(raw: RawStream): MediaStream {
  const base = factsOf(raw)
  const times = { start_seconds: finite(raw.start_time), duration_seconds: durationOf(raw) }
  switch (raw.codec_type) {
    case 'video':
      return { kind: 'video', ...base, ...times, ...pictureOf(raw) }
    case 'audio':
      return {
        kind: 'audio',
        ...base,
        ...times,
        channels: raw.channels,
        channel_layout: raw.channel_layout ?? null,
        sample_rate: finite(raw.sample_rate) ?? 0,
        bit_rate: positive(raw.bit_rate) ?? taggedRate(raw.tags),
      }
    case 'attachment':
      return {
        kind: 'attachment',
        ...base,
        file_name: raw.tags['filename'] ?? null,
        media_type: raw.tags['mimetype'] ?? null,
      }
    case 'subtitle':
      return { kind: 'subtitle', ...base }
    case 'data':
      return { kind: 'data', ...base, codec_tag: raw.codec_tag_string }
    default:
      return { kind: 'unknown', ...base, codec_tag: raw.codec_tag_string }
  }
}

function factsOf(raw: RawStream): StreamFacts {
  const language = raw.tags['language'] ?? 'und'
  return {
    index: raw.index,
    codec: raw.codec_name,
    profile: raw.profile === undefined || raw.profile === 'unknown' ? null : String(raw.profile),
    language: language === 'und' || language === '' ? null : language,
    title: titleOf(raw.tags),
    tag_names: Object.keys(raw.tags),
    dispositions: Object.keys(raw.disposition).filter((name) => raw.disposition[name] === 1),
  }
}

function pictureOf(
  raw: RawStream,
): Omit<VideoStream, 'kind' | keyof StreamFacts | 'start_seconds' | 'duration_seconds'> {
  return {
    is_cover: raw.disposition['attached_pic'] === 1,
    file_name: raw.tags['filename'] ?? null,
    is_default: raw.disposition['default'] === 1,
    width: raw.width,
    height: raw.height,
    sample_aspect: ratio(raw.sample_aspect_ratio) ?? 1,
    rotation: rotationOf(raw),
    pixel_format: raw.pix_fmt ?? null,
    bit_depth: bitDepthOf(raw.pix_fmt ?? ''),
    // WebM keeps transparency beside the picture, where FFmpeg's own decoder does not see it.
    has_alpha: raw.tags['alpha_mode'] === '1' || /^(yuva|ya8|ya16|gbrap|rgba|bgra|argb|abgr)/.test(raw.pix_fmt ?? ''),
    is_interlaced: /^(tt|bb|tb|bt)$/.test(raw.field_order),
    time_base: ratio(raw.time_base) === null ? null : raw.time_base.replace('/', ':'),
    average_rate: ratio(raw.avg_frame_rate),
    nominal_rate: ratio(raw.r_frame_rate),
    color: {
      range: known(raw.color_range),
      primaries: known(raw.color_primaries),
      transfer: known(raw.color_transfer),
      matrix: known(raw.color_space),
    },
    chroma_location: known(raw.chroma_location),
    hdr: readHdrMetadata(raw.side_data_list),
    frame_count: positive(raw.nb_read_packets) ?? positive(raw.nb_frames),
  }
}

/** A display matrix turns counter-clockwise by its `rotation`; the nearest quarter turn is what ffmpeg applies. */
function rotationOf(raw: RawStream): VideoStream['rotation'] {
  const degrees = raw.side_data_list.find((data) => data.rotation !== undefined)?.rotation ?? 0
  const quarters = ((Math.round(-degrees / 90) % 4) + 4) % 4
  return ([0, 90, 180, 270] as const)[quarters] ?? 0
}

/** Matroska keeps a track's length as a tag, `00:00:03.000000000`. */
function durationOf(raw: RawStream): number | null {
  const direct = duration(raw.duration)
  if (direct !== null) return direct
  const tag = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(raw.tags['DURATION'] ?? '')
  if (tag === null) return null
  return sinceStart(Number(tag[1]) * 3600 + Number(tag[2]) * 60 + Number(tag[3]), raw.start_time)
}
