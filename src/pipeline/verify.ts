import { stat } from 'node:fs/promises'
import type { Container, PictureScore, VerifySettings } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import { formatClock } from '../util/format.ts'
import type { ExpectedResult } from './plan.ts'
import type { Picture } from './plan/video/picture.ts'
import { type ProbeRequest, readMediaInfo, type Reading } from './probe/ffprobe.ts'
import { withFirstFrame } from './probe/first-frame.ts'
import type { MediaInfo } from './probe/media-info.ts'
import type { Tools } from './tools.ts'
import { colourProblems } from './verify/check-colour.ts'
import { containerFault } from './verify/container-fault.ts'
import { decodeResult, type DecodeRequest } from './verify/decode-result.ts'
import { filmOf } from './verify/film-of.ts'
import { measurePicture } from './verify/measure-picture.ts'
import type { Problem } from './verify/problem.ts'
import { streamProblems } from './verify/stream-problems.ts'
import { lengthProblem } from './verify/told-length.ts'

/** Seconds that a result may be shorter by, at least and at most, and the share of the length in between. */
const tolerance = { least: 0.5, most: 3, share: 0.01 }

/** What to check, and with what. */
export interface VerifyRequest extends ProbeRequest, DecodeRequest {
  tools: Tools
  settings: VerifySettings
  /** The source by a staged name, and what its picture was to become. */
  source_path: string
  picture: Picture
  container: Container
}

/** What ffmpeg said in the end that it had written; null where it did not tell. */
export interface Encoded {
  frames: number | null
  size_bytes: number | null
  /** Where it ends, in seconds. */
  end_seconds: number | null
}

/**
 * Refuses a result by `ConversionError` (step verify) unless it is whole, is what was planned, can be decoded, some of it or
 * all of it when it is short or the settings say so, and its picture is as good as they ask. Gives the score, null where
 * none was asked for.
 */
export async function verifyResult(
  request: VerifyRequest,
  expected: ExpectedResult,
  encoded: Encoded,
): Promise<PictureScore | null> {
  const fault = await fileFault(request, encoded.size_bytes)
  if (fault !== null) refuse([{ message: `the result is damaged: ${fault}`, is_in_source: false }])
  const { info, complaints } = await readResult(request, expected)
  const problems = problemsOf(expected, encoded.frames, info)
  const lengthFault = lengthProblem(info, encoded.end_seconds)
  if (lengthFault !== null && problems.length === 0) problems.push({ message: lengthFault, is_in_source: false })
  // A file of our own making must read without an error, even one that ffprobe reads over.
  if (complaints !== '') problems.push({ message: 'the result has errors of its own', is_in_source: false })
  if (problems.length > 0) refuse(problems, complaints)
  const decoded = await decodeResult(request, info)
  if (decoded.problems.length > 0) refuse(decoded.problems, decoded.log)
  const { metric } = request.settings
  if (metric === null) return null
  const video = filmOf(info)
  return measurePicture({ ...request, metric, frame_count: video?.frame_count ?? null })
}

/** The first problem alone would hide what else there is to know. */
function refuse(problems: readonly Problem[], stderrTail = ''): never {
  throw new ConversionError(problems.map((problem) => problem.message).join('; '), {
    class: problems.some((problem) => problem.is_in_source) ? 'permanent' : 'retryable',
    step: 'verify',
    stderr_tail: stderrTail,
  })
}

async function fileFault({ path, container, signal }: VerifyRequest, sizeBytes: number | null): Promise<string | null> {
  const { size } = await stat(path)
  if (sizeBytes !== null && size !== sizeBytes) return `it has ${size} bytes, and ffmpeg wrote ${sizeBytes}`
  return containerFault(path, container, signal)
}

async function readResult(request: VerifyRequest, { colour }: ExpectedResult): Promise<Reading> {
  try {
    const { info, complaints } = await readMediaInfo(request, ['-count_packets'])
    const video = filmOf(info)
    // Older ffmpegs write it into the stream only, which a container's description does not show.
    const isInStream = video !== undefined && colourProblems(colour, video).length > 0
    return { info: isInStream ? await withFirstFrame(request, info, video) : info, complaints }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const report = { ...error.report, step: 'verify' as const, class: 'retryable' as const }
    throw new ConversionError(`the result cannot be read: ${error.message}`, report)
  }
}

/** How a result differs from what was planned; empty when it is good. `encodedFrames` is the encoder's count, null if unknown. */
export function problemsOf(expected: ExpectedResult, encodedFrames: number | null, result: MediaInfo): Problem[] {
  const video = filmOf(result)
  if (video === undefined) return [{ message: 'the result has no video stream', is_in_source: false }]
  const problems: Problem[] = []
  const ours = (message: string) => problems.push({ message, is_in_source: false })
  const theirs = (message: string) => problems.push({ message, is_in_source: true })
  if (video.codec !== expected.video_codec) ours(`the result is ${video.codec}, not ${expected.video_codec}`)
  if (video.width !== expected.width || video.height !== expected.height) {
    ours(`the result is ${video.width} x ${video.height}, not ${expected.width} x ${expected.height}`)
  }
  colourProblems(expected.colour, video).forEach(ours)
  streamProblems(expected, result).forEach(ours)
  const frames = video.frame_count ?? 0
  if (frames === 0) theirs('no frame could be decoded')
  if (encodedFrames !== null && frames !== encodedFrames)
    ours(`the result has ${frames} of ${encodedFrames} encoded frames`)
  const length = lengthsOf(expected, result)
  if (length && isShorter(length.result, length.source)) {
    theirs(`truncated: ends at ${formatClock(length.result)} of ${formatClock(length.source)}`)
  } else if (length && isMuchLonger(length.result, length.source)) {
    ours(`the result is ${formatClock(length.result)} long, the source ${formatClock(length.source)}`)
  } else if (expected.frame_count !== null && frames < expected.frame_count * 0.99 - 2) {
    theirs(`damaged: only ${frames} of ${expected.frame_count} frames could be decoded`)
  }
  return problems
}

/** The picture's length where both sides tell it, else the file's; undefined when the source tells neither. */
function lengthsOf(expected: ExpectedResult, result: MediaInfo): { source: number; result: number } | undefined {
  const video = filmOf(result)
  if (expected.video_seconds !== null && video?.duration_seconds != null) {
    return { source: expected.video_seconds, result: video.duration_seconds }
  }
  if (expected.file_seconds !== null && result.duration_seconds !== null) {
    return { source: expected.file_seconds, result: result.duration_seconds }
  }
  return undefined
}

function isShorter(seconds: number, thanSeconds: number): boolean {
  const allowed = Math.min(tolerance.most, Math.max(tolerance.least, thanSeconds * tolerance.share))
  return seconds < thanSeconds - allowed
}

/** A last frame of variable rate may be shown longer; only what cannot be that counts. */
function isMuchLonger(seconds: number, thanSeconds: number): boolean {
  return seconds > thanSeconds + Math.max(10, thanSeconds * 0.1)
}
