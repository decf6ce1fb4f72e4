/** Which streams a result must have beside its picture. */
export interface ExpectedStreams {
  /** In their order. */
  audio: ExpectedSound[]
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

/** A track of sound. */
export interface ExpectedSound extends ExpectedTrack {
  channels: number
  /** Seconds of the source's track, and from the film's start to its own; null where the source does not tell. */
  seconds: number | null
  delay_seconds: number | null
}
