import type { HdrMetadata } from './hdr-metadata.ts'

/** What is known of every stream. */
export interface StreamFacts {
  /** Its number in the file, as `-map 0:INDEX` takes it. */
  index: number
  codec: string
  /** FFmpeg's name of the codec's profile, `HE-AAC`; null when there is none. */
  profile: string | null
  /** As the source has it, mostly three letters; null when it does not say, or says `und`. */
  language: string | null
  /** The name that people gave it; null when it has none. */
  title: string | null
  /** Names of its tags, as the file spells them. */
  tag_names: readonly string[]
  /** Flags that are set, by FFmpeg's names: `default`, `forced`, `comment`, ... */
  dispositions: readonly string[]
}

/** A video track, or a picture that is stored as one. */
export interface VideoStream extends StreamFacts {
  kind: 'video'
  /** Cover art: a picture that belongs to the file and not to the film. */
  is_cover: boolean
  /** Of a cover in a container that has files for them; null for all else. */
  file_name: string | null
  is_default: boolean
  /** Pixels as coded, before rotation; 0 when not known. */
  width: number
  height: number
  /** Width of a pixel over its height; 1 when not said. */
  sample_aspect: number
  /** Degrees clockwise that a player turns the picture by. */
  rotation: 0 | 90 | 180 | 270
  /** Null when the decoder is not known. */
  pixel_format: string | null
  /** Bits per sample of luma. */
  bit_depth: number
  is_interlaced: boolean
  has_alpha: boolean
  /** The clock of its times as `1:15360`, a second being the second number; null when not known. */
  time_base: string | null
  /** Frames per second; null when not known. The average follows the durations, the nominal is the finest grid seen. */
  average_rate: number | null
  nominal_rate: number | null
  /** As ffprobe names them; null when the source does not say. */
  color: ColorTags
  /** Where 4:2:0 has its colour between the pixels, `left`, `topleft`, `center`; null when the source does not say. */
  chroma_location: string | null
  /** Null when the source carries none. */
  hdr: HdrMetadata | null
  /** The container's own count; null when it keeps none. */
  frame_count: number | null
  /** Seconds; null when not known. */
  start_seconds: number | null
  duration_seconds: number | null
}

/** What the numbers of the pixels mean. Null where the source does not say. */
export interface ColorTags {
  range: string | null
  primaries: string | null
  transfer: string | null
  matrix: string | null
}

/** A sound track. */
export interface AudioStream extends StreamFacts {
  kind: 'audio'
  channels: number
  /** As FFmpeg names it, `5.1(side)`; null when the source does not say. */
  channel_layout: string | null
  /** Hertz. */
  sample_rate: number
  /** Bits per second; null when not known. */
  bit_rate: number | null
  start_seconds: number | null
  duration_seconds: number | null
}

/** Text or pictures that are shown over the film. */
export interface SubtitleStream extends StreamFacts {
  kind: 'subtitle'
}

/** A file within the file, such as a font. */
export interface AttachmentStream extends StreamFacts {
  kind: 'attachment'
  /** Null when the source does not say. */
  file_name: string | null
  media_type: string | null
}

/** What no player shows: telemetry, time codes, tables. */
export interface DataStream extends StreamFacts {
  kind: 'data' | 'unknown'
  /** The four letters that mov names its kind by, `tmcd`; elsewhere zeros in brackets. */
  codec_tag: string
}

export type MediaStream = VideoStream | AudioStream | SubtitleStream | AttachmentStream | DataStream

/** What ffprobe says of a file, checked and in our words. */
export interface MediaInfo {
  /** The demuxer's names, `['mov', 'mp4', …]`. */
  formats: string[]
  /** Seconds; null when neither the container nor a guess of it tells. */
  duration_seconds: number | null
  start_seconds: number | null
  size_bytes: number
  chapter_count: number
  /** Those that end before the film begins, as cutting leaves them; not among the others. */
  early_chapter_count: number
  /** Names of the file's own tags, as it spells them. */
  tag_names: readonly string[]
  /** What Apple's cameras say in a way of their own, by the name that all others have for it: make, model, location. */
  camera_tags: Readonly<Record<string, string>>
  streams: MediaStream[]
}
