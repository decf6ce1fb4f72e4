import * as v from 'valibot'
import { readHdrMetadata, SideData } from './hdr-metadata.ts'
import type { MediaInfo, MediaStream, StreamFacts, VideoStream } from './media-info.ts'
import { bitDepthOf } from './pixel-format.ts'

const Numeric = v.optional(v.union([v.string(), v.number()]))
const RawStream = v.object({
  index: v.number(),
  codec_type: v.optional(v.string(), 'unknown'),
  codec_name: v.optional(v.string(), 'unknown'),
  codec_tag_string: v.optional(v.string(), ''),
  profile: v.optional(v.union([v.string(), v.number()])),
  width: v.optional(v.number(), 0),
  height: v.optional(v.number(), 0),
  sample_aspect_ratio: v.optional(v.string(), '1:1'),
  pix_fmt: v.optional(v.string()),
  bits_per_raw_sample: Numeric,
  field_order: v.optional(v.string(), 'unknown'),
  time_base: v.optional(v.string(), '0/0'),
  avg_frame_rate: v.optional(v.string(), '0/0'),
  r_frame_rate: v.optional(v.string(), '0/0'),
  color_range: v.optional(v.string()),
  color_primaries: v.optional(v.string()),
  color_transfer: v.optional(v.string()),
  color_space: v.optional(v.string()),
  chroma_location: v.optional(v.string()),
  nb_frames: Numeric,
  nb_read_packets: Numeric,
  start_time: Numeric,
  duration: Numeric,
  bit_rate: Numeric,
  channels: v.optional(v.number(), 0),
  channel_layout: v.optional(v.string()),
  sample_rate: Numeric,
  disposition: v.optional(v.record(v.string(), v.number()), {}),
  tags: v.optional(v.record(v.string(), v.string()), {}),
  side_data_list: v.optional(v.array(v.looseObject({ ...SideData.entries, rotation: v.optional(v.number()) })), []),
})
type RawStream = v.InferOutput<typeof RawStream>

const RawProbe = v.object({
  streams: v.optional(v.array(RawStream), []),
  chapters: v.optional(v.array(v.object({ end_time: Numeric })), []),
  format: v.object({
    format_name: v.string(),
    duration: Numeric,
    start_time: Numeric,
    size: Numeric,
    tags: v.optional(v.record(v.string(), v.string()), {}),
  }),
})

/** Seconds that a file may claim to last, ten years; one that claims more tells nothing. */
const longestSeconds = 10 * 365 * 86_400

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

function cameraTags(tags: Record<string, string>): Record<string, string> {
  const names = ['make', 'model', 'location'] as const
  const apples = { make: 'make', model: 'model', location: 'location.ISO6709' }
  const told = names.map((name) => [name, tags[`com.apple.quicktime.${apples[name]}`]] as const)
  return Object.fromEntries(told.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}

/** mov has a name for each track since late, and before it people used that of what handles the track. */
function titleOf(tags: RawStream['tags']): string | null {
  const name = tags['title'] ?? tags['name'] ?? tags['handler_name'] ?? ''
  const isOfProgram = tags['title'] === undefined && programNames.test(name)
  return name.trim() === '' || isOfProgram ? null : name.trim()
}

/** What programs call their tracks, whatever is in them. */
const programNames =
  /handler|core media|gpac|mainconcept|iso media|l-smash|bento4|google|apple|gopro|dji|^(video|audio|sound|text|subtitle)s?(track| media)?$|^(stereo|mono|surround)$/i

/**
 * Bits per second from the statistics that Matroska's own tools write. FFmpeg copies them onto what it encodes, where they
 * are those of another track.
 */
function taggedRate(tags: RawStream['tags']): number | null {
  if ((tags['ENCODER'] ?? tags['encoder'] ?? '').startsWith('Lavc')) return null
  const name = Object.keys(tags).find((key) => /^BPS(-\w+)?$/.test(key))
  return name === undefined ? null : positive(tags[name])
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

/** Matroska counts lengths from time zero, wherever the first frame stands: what was cut from a stream may start at an hour. */
function sinceStart(end: string | number | undefined, start: string | number | undefined): number | null {
  const seconds = duration(end)
  return seconds === null ? null : positive(seconds - Math.max(0, finite(start) ?? 0))
}

function duration(value: string | number | undefined): number | null {
  const seconds = positive(value)
  return seconds !== null && seconds <= longestSeconds ? seconds : null
}

/** `30000/1001`, `64:45`; null for `0/0`, `0:1` and what is no ratio. */
function ratio(text: string): number | null {
  const match = /^(\d+)[/:](\d+)$/.exec(text)
  return match === null ? null : positive(Number(match[1]) / Number(match[2]))
}

function known(tag: string | undefined): string | null {
  return tag === undefined || tag === 'unknown' || tag === 'unspecified' || tag === 'reserved' ? null : tag
}

function finite(value: string | number | undefined): number | null {
  const number = value === undefined || value === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : null
}

function positive(value: string | number | undefined): number | null {
  const number = finite(value)
  return number !== null && number > 0 ? number : null
}
