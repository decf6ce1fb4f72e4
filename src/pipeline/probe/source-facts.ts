import type { SourceFacts } from '../../contract/profile.ts'
import { isLengthGuessed } from './guessed-length.ts'
import { isHdr } from './hdr-metadata.ts'
import { mainVideo } from './main-video.ts'
import type { MediaInfo } from './media-info.ts'

/** What rules may ask of a source. Throws `ConversionError` for one without a film. */
export function sourceFacts(info: MediaInfo): SourceFacts {
  const film = mainVideo(info)
  const width = Math.round(film.width * film.sample_aspect)
  const isTurned = film.rotation === 90 || film.rotation === 270
  const seconds = isLengthGuessed(info) ? null : info.duration_seconds
  return {
    codec: film.codec,
    width: isTurned ? film.height : width,
    height: isTurned ? width : film.height,
    is_hdr: isHdr(film.color),
    bit_rate: seconds === null || info.size_bytes === 0 ? null : Math.round((8 * info.size_bytes) / seconds),
    duration_seconds: seconds,
    format: info.formats[0] ?? '',
  }
}
