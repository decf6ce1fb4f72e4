import { plain } from '../ffmpeg/error-lines.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import type { CheckRun } from './decode.ts'
import { filmOf } from './film-of.ts'
import type { Problem } from './problem.ts'
import type { Place } from './sample-places.ts'

/** Frames that may stay in a decoder where a place begins or ends between two keyframes. */
const looseFrames = 2
/** Seconds of sound that may be missing: what an encoder puts in front, and a last frame that is cut. */
const looseSeconds = 0.25

/**
 * What is wrong with a result by how a place of it was decoded. `copiedCodecs` are those of sound tracks that were not
 * encoded: what is wrong with them was so in the source.
 */
export function decodeProblems(
  run: CheckRun,
  place: Place,
  result: MediaInfo,
  copiedCodecs: readonly string[],
): Problem[] {
  const problems: Problem[] = []
  const [first] = run.error_lines
  if (first !== undefined) {
    const ofCopy = run.error_lines.every((line) => isOfCopy(line, copiedCodecs))
    problems.push(
      ofCopy
        ? { message: `damaged: a sound track that was copied has errors (${plain(first)})`, is_in_source: true }
        : { message: `the result cannot be decoded without errors (${plain(first)})`, is_in_source: false },
    )
  }
  const isWhole = place.start === 0 && place.seconds === null
  const counts = isWhole
    ? [...pictureOfAll(run, result), ...soundOfAll(run, result, copiedCodecs)]
    : pictureOf(run, place, result)
  return [...problems, ...counts.map((message) => ({ message, is_in_source: false }))]
}

/** `[ac3 @ 0x55d0] [error] ...` */
function isOfCopy(line: string, copiedCodecs: readonly string[]): boolean {
  const component = /^\[([\w-]+) @/.exec(line)?.[1]
  return component !== undefined && copiedCodecs.some((codec) => component === codec || component === `${codec}float`)
}

function pictureOfAll({ streams }: CheckRun, result: MediaInfo): string[] {
  const video = filmOf(result)
  const decoded = streams.find(({ index }) => index === video?.index)
  const wanted = video?.frame_count ?? 0
  if (decoded === undefined || decoded.frames >= wanted - looseFrames) return []
  return [`only ${decoded.frames} of the result's ${wanted} frames could be decoded`]
}

/** A track that was copied has the holes of its source, and one may have no sound at all. */
function soundOfAll({ streams }: CheckRun, result: MediaInfo, copiedCodecs: readonly string[]): string[] {
  return result.streams.flatMap((track) => {
    const decoded = streams.find(({ index }) => index === track.index)
    if (track.kind !== 'audio' || copiedCodecs.includes(track.codec) || !decoded?.packets) return []
    if (decoded.samples === null || track.duration_seconds === null || track.sample_rate === 0) return []
    const [seconds, wanted] = [decoded.samples / track.sample_rate, track.duration_seconds]
    if (seconds >= wanted - looseSeconds) return []
    return [`only ${seconds.toFixed(1)} of ${wanted.toFixed(1)} s of the result's sound could be decoded`]
  })
}

/** Where the rate is constant, the seconds of a place tell its frames. */
function pictureOf({ frames }: CheckRun, { start, seconds }: Place, result: MediaInfo): string[] {
  const video = filmOf(result)
  if (video?.duration_seconds == null || frames === null) return []
  const isConstant = video.average_rate !== null && video.average_rate === video.nominal_rate
  const length = Math.min(seconds ?? Infinity, video.duration_seconds - start)
  const wanted = isConstant ? Math.floor(length * (video.average_rate ?? 0)) : Number(length > 1 && seconds !== null)
  if (frames >= wanted - looseFrames || length <= 0) return []
  return [`only ${frames} of the result's ${wanted} frames from second ${Math.round(start)} could be decoded`]
}
