import { ConversionError, type FailureClass } from '../../contract/failure.ts'
import { formatDuration } from '../../util/format.ts'
import { isErrorLine } from '../ffmpeg/error-lines.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import { type EncodeProgress, progressReader } from '../ffmpeg/progress.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import { stallWatch } from '../process/stall-watch.ts'
import type { Tools } from '../tools.ts'
import { type DecodedStream, parseDecodedStream } from './decoded-stream.ts'
import type { Place } from './sample-places.ts'

/** What runs of ffmpeg that check a result have in common. */
export interface CheckRequest {
  /** The result. */
  path: string
  tools: Tools
  environment: Record<string, string | undefined>
  /** Milliseconds: for one run, and without any sign of life. */
  timeout_ms: number
  stall_timeout_ms: number
  signal: AbortSignal
}

/** What a run of ffmpeg told. */
export interface CheckRun {
  /** Frames of the picture that came out; null when it did not tell. */
  frames: number | null
  /** Of the first input, in its order. */
  streams: DecodedStream[]
  /** Its lines that tell of an error, at most a hundred. */
  error_lines: string[]
  stderr_tail: string
}

/**
 * A decoder that looks closely: what has a checksum is compared, and what a decoder could hide is told. Healthy results of
 * all our encoders and of tracks that were copied pass.
 */
export const strictly = ['-err_detect', 'crccheck+bitstream+buffer+explode']

/** Threads of each decoder: the next encode runs beside it. */
const threads = 2
const maxErrorLines = 100

/** ffmpeg's argv without the program that decodes picture and sound of a place, and no cover; `decoder` null for FFmpeg's own choice. */
export function decodeArgs(path: string, place: Place, decoder: string | null): string[] {
  return [
    ['-threads', String(threads), ...strictly, ...inputLimits],
    // The film is the first; covers come after it and are pictures of another codec.
    decoder === null ? [] : ['-c:v:0', decoder],
    place.start > 0 ? ['-ss', String(place.start)] : [],
    place.seconds === null ? [] : ['-t', String(place.seconds)],
    // V is the film: a cover that was copied may be as odd as it was.
    ['-i', fileUrl(path), '-map', '0:V', '-map', '0:a?'],
    // In a clock of whole pictures two of a variable rate would come at one time, which ffmpeg calls an error.
    ['-fps_mode:v', 'passthrough', '-enc_time_base:v', '1:1000000', '-f', 'null', '-'],
  ].flat()
}

/**
 * Runs ffmpeg for a check, which writes nothing but what it tells. Throws `ConversionError` (step verify) when it cannot
 * run, is killed or stands still, or the signal's reason; errors that it logged are given back, also when it ended by them.
 */
export async function runCheck(
  request: CheckRequest,
  args: readonly string[],
  onProgress: (progress: EncodeProgress) => void = () => {},
  onErrorLine: (line: string) => void = () => {},
): Promise<CheckRun> {
  const errorLines: string[] = []
  const streams: DecodedStream[] = []
  const read = progressReader()
  let last: EncodeProgress | undefined
  const argv = [request.tools.ffmpeg_path, ...common, ...args]
  const result = await runProcess({
    argv,
    environment: request.environment,
    timeout_ms: request.timeout_ms,
    signal: request.signal,
    watchdog: stallWatch(request.stall_timeout_ms, () => `${last?.frame} ${last?.out_time_seconds}`),
    on_line: (line) => {
      const progress = read(line)
      if (progress === undefined) return
      last = progress
      onProgress(progress)
    },
    on_error_line: (line) => {
      onErrorLine(line)
      const stream = parseDecodedStream(line)
      if (stream?.input === 0) streams.push(stream)
      else if (isDamage(line) && errorLines.length < maxErrorLines) errorLines.push(line)
    },
  })
  if (result.killed_for === 'abort') throw request.signal.reason
  const problem = endProblem(result, errorLines, request)
  if (problem !== undefined) {
    throw new ConversionError(problem.message, {
      class: problem.class,
      step: 'verify',
      command: argv,
      stderr_tail: result.stderr_tail,
      exit_code: result.exit_code,
    })
  }
  return { frames: last?.frame ?? null, streams, error_lines: errorLines, stderr_tail: result.stderr_tail }
}

/** The counts of packets, frames and samples come at level verbose. */
const common = [
  ['-nostdin', '-hide_banner', '-loglevel', 'level+verbose', '-nostats', '-progress', 'pipe:1'],
  ['-stats_period', '0.5'],
].flat()

/**
 * h264's decoder tells on level info only that it had to make up a part of a picture. The muxer that throws all away
 * complains of two pictures at one time, which a container of coarse times may well hold.
 */
function isDamage(line: string): boolean {
  if (line.startsWith('[null @ ')) return false
  return isErrorLine(line) || /concealing \d+ DC, \d+ AC, \d+ MV errors/.test(line)
}

/** How a run ended that says nothing of the result. */
function endProblem(
  result: ProcessResult,
  errorLines: readonly string[],
  request: CheckRequest,
): { message: string; class: FailureClass } | undefined {
  const missing = /(?:Unknown decoder '|No such filter: '|no decoder found for: )([\w-]+)/.exec(errorLines.join('\n'))
  if (missing) return { class: 'worker', message: `the result cannot be checked: this ffmpeg has no ${missing[1]}` }
  if (result.killed_for === 'timeout') {
    return retryable(`the check of the result took longer than ${formatDuration(request.timeout_ms / 1000)}`)
  }
  if (result.killed_for === 'stall') {
    return retryable(`the check of the result made no progress for ${formatDuration(request.stall_timeout_ms / 1000)}`)
  }
  if (result.signal !== null) return retryable(`ffmpeg was killed by ${result.signal} while it checked the result`)
  if (result.exit_code !== 0 && errorLines.length === 0) {
    return retryable(`ffmpeg could not check the result: it ended with exit code ${result.exit_code} and no reason`)
  }
  return undefined
}

function retryable(message: string): { message: string; class: FailureClass } {
  return { message, class: 'retryable' }
}
