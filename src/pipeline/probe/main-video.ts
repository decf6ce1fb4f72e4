import { ConversionError } from '../../contract/failure.ts'
import type { MediaInfo, VideoStream } from './media-info.ts'

/** The film: the default one if one is marked, else the largest, else the first. Cover art is none. */
export function mainVideo(info: MediaInfo): VideoStream {
  const films = info.streams.filter((stream) => stream.kind === 'video').filter((stream) => !stream.is_cover)
  const [first] = films.toSorted(
    (a, b) =>
      Number(b.is_default) - Number(a.is_default) || b.width * b.height - a.width * a.height || a.index - b.index,
  )
  if (first) return first
  throw new ConversionError('no video stream', { class: 'permanent', step: 'plan' })
}
