import type { MediaInfo, VideoStream } from '../probe/media-info.ts'

/** The picture of a result; undefined where there is none, or only cover art. */
export function filmOf({ streams }: MediaInfo): VideoStream | undefined {
  return streams.filter((stream) => stream.kind === 'video').find((stream) => !stream.is_cover)
}
