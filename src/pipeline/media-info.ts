/** A video track, or a picture that is stored as one. */
export interface VideoStream {
  kind: 'video'
  /** Its number in the file, as `-map 0:INDEX` takes it. */
  index: number
  codec: string
  /** Cover art: a picture that belongs to the file and not to the film. */
  is_cover: boolean
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
export interface AudioStream {
  kind: 'audio'
  index: number
  codec: string
  channels: number
  /** As FFmpeg names it, `5.1(side)`; null when the source does not say. */
  channel_layout: string | null
  /** Hertz. */
  sample_rate: number
  /** Bits per second; null when not known. */
  bit_rate: number | null
  language: string | null
  start_seconds: number | null
  duration_seconds: number | null
}

/** Everything that is carried on by nobody yet. */
export interface OtherStream {
  kind: 'subtitle' | 'data' | 'attachment' | 'unknown'
  index: number
  codec: string
  language: string | null
}

export type MediaStream = VideoStream | AudioStream | OtherStream

/** What ffprobe says of a file, checked and in our words. */
export interface MediaInfo {
  /** The demuxer's names, `['mov', 'mp4', …]`. */
  formats: string[]
  /** Seconds; null when neither the container nor a guess of it tells. */
  duration_seconds: number | null
  start_seconds: number | null
  size_bytes: number
  chapter_count: number
  streams: MediaStream[]
}
