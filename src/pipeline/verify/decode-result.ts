import type { VerifySettings } from '../../contract/conversion.ts'
import { namesIn } from '../ffmpeg/ask-ffmpeg.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import { closestDecoder, hasCloserDecoder } from './closest-decoder.ts'
import { decodeProblems } from './decode-problems.ts'
import { type CheckRequest, decodeArgs, runCheck } from './decode.ts'
import { filmOf } from './film-of.ts'
import type { Problem } from './problem.ts'
import { samplePlaces, wholeFilm } from './sample-places.ts'

/** How much of a result is decoded, and what is known of it. */
export interface DecodeRequest extends CheckRequest {
  settings: Pick<VerifySettings, 'decode'>
  /** Chooses the places that are looked at in a long film; the same text, the same places. */
  seed: string
  /** Codecs of sound tracks that were not encoded, as ffprobe names them. */
  copied_codecs: readonly string[]
  /** Told of the share that is done, 0 to 100. */
  on_percent: (percent: number) => void
}

/**
 * Decodes a result, all of it or at several places one after the other, so that no more than one decoder is in memory;
 * ends at the first place with a problem. `log` is what ffmpeg said of it. Throws as `runCheck` does.
 */
export async function decodeResult(
  request: DecodeRequest,
  info: MediaInfo,
): Promise<{ problems: Problem[]; log: string }> {
  const codec = filmOf(info)?.codec ?? ''
  const decoder = hasCloserDecoder(codec) ? closestDecoder(codec, await namesIn('decoders', request)) : null
  const isFull = request.settings.decode === 'full'
  const places = isFull ? [wholeFilm] : samplePlaces(info.duration_seconds, request.seed)
  for (const [number, place] of places.entries()) {
    const run = await runCheck(request, decodeArgs(request.path, place, decoder), ({ out_time_seconds: done }) => {
      const share = Math.min(1, (done ?? 0) / (place.seconds ?? info.duration_seconds ?? Infinity))
      request.on_percent((100 * (number + share)) / places.length)
    })
    const problems = decodeProblems(run, place, info, request.copied_codecs)
    if (problems.length > 0) return { problems, log: run.error_lines.join('\n') }
  }
  request.on_percent(100)
  return { problems: [], log: '' }
}
