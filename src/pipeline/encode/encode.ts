import { stat } from 'node:fs/promises'
import type { FailureClass } from '../../contract/failure.ts'
import { formatClock } from '../../util/format.ts'
import { EncodeError } from '../encode-error.ts'
import { isErrorLine } from '../ffmpeg/error-lines.ts'
import { brokenLimit } from '../ffmpeg/input-limits.ts'
import { type EncodeProgress, progressReader } from '../ffmpeg/progress.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import { StartError } from '../process/guard.ts'
import { stallWatch } from '../process/stall-watch.ts'
import { encodeFailure } from './encode-failure.ts'
import { leadingErrors } from './leading-errors.ts'

/** One run of ffmpeg. */
export interface EncodeRequest {
  /** Program first. */
  command: readonly string[]
  /** The file that it writes; growth of it is a sign of life. */
  output_path: string
  environment: Record<string, string | undefined>
  /** Milliseconds that the whole run may take. */
  timeout_ms: number
  /** Milliseconds without any sign of life until it is killed. */
  stall_timeout_ms: number
  /** Seconds of the source, to say where damage lies; null when not known. */
  duration_seconds: number | null
  /** Seconds that the container tells by more than a guess: what goes on for far longer is stopped. Missing or null for no such bound. */
  told_seconds?: number | null
  /** For a source that may begin between two key frames: told in the end how many pictures were lost by that. */
  on_lost?: ((pictures: number) => void) | undefined
  on_progress: (progress: EncodeProgress) => void
  signal: AbortSignal
}

const maxErrorLines = 100

/**
 * Runs an encode to its end and gives the last progress. It went well when ffmpeg exits 0 and wrote no line of level
 * error: 5.1 to 9.0 exit 0 after damage, with nothing but such a line. `-xerror` would miss cut-off Matroska, and refuse
 * healthy phone clips that have two frames at one time. Throws `EncodeError` (step encode), or the signal's reason
 * when it aborts.
 */
export async function encode(request: EncodeRequest): Promise<EncodeProgress | undefined> {
  const read = progressReader()
  const errorLines: string[] = []
  const leading = leadingErrors()
  let last: EncodeProgress | undefined
  let errorsReported = false
  let errorSeconds: number | null = null
  let endless: string | undefined
  // What is damaged is not encoded to its end: one report after the first error, so that what follows it is told too.
  const stop = new AbortController()
  const result = await start(request, {
    argv: request.command,
    // SVT-AV1 writes a page of settings to standard error otherwise; 1 is errors only.
    environment: { ...request.environment, SVT_LOG: '1' },
    timeout_ms: request.timeout_ms,
    signal: AbortSignal.any([request.signal, stop.signal]),
    watchdog: stallWatch(
      request.stall_timeout_ms,
      async () => `${workDone(last)} ${await fileState(request.output_path)}`,
    ),
    on_line: (line) => {
      const progress = read(line)
      if (progress === undefined) return
      if (errorsReported && !progress.is_done) stop.abort()
      errorsReported = errorLines.length > 0
      last = progress
      endless ??= beyondLength(progress, request.told_seconds ?? null)
      if (endless !== undefined) stop.abort()
      request.on_progress(progress)
    },
    on_error_line: (line) => {
      if (!isErrorLine(line) || errorLines.length >= maxErrorLines) return
      if (request.on_lost && leading.excuses(line, last?.frame ?? 0)) return
      if (errorLines.length === 0) errorSeconds = last?.out_time_seconds ?? null
      errorLines.push(line)
    },
  })
  if (result.killed_for === 'abort' && request.signal.aborted) throw request.signal.reason
  if (endless !== undefined) throw failed('other', endless, 'permanent')
  const failure = encodeFailure({
    result,
    error_lines: errorLines,
    position_seconds: last?.out_time_seconds ?? null,
    error_seconds: errorSeconds,
    duration_seconds: request.duration_seconds,
    timeout_ms: request.timeout_ms,
    stall_timeout_ms: request.stall_timeout_ms,
  })
  if (failure === undefined) {
    request.on_lost?.(leading.lost())
    return last
  }
  const limit = failure.class === 'permanent' ? brokenLimit(errorLines[0] ?? '') : undefined
  throw failed(failure.kind, limit === undefined ? failure.message : brokenIn(limit, errorSeconds), failure.class)

  function failed(kind: EncodeError['kind'], message: string, failureClass: FailureClass): EncodeError {
    return new EncodeError(kind, message, {
      class: failureClass,
      step: 'encode',
      command: [...request.command],
      stderr_tail: result.stderr_tail,
      exit_code: result.exit_code,
    })
  }
}

/**
 * What to say of a film that goes on far beyond what its container tells: a small mp4 can want its one second played a
 * million times. The check of a result lets much less pass, so no film is lost by it.
 */
function beyondLength({ out_time_seconds: seconds }: EncodeProgress, told: number | null): string | undefined {
  if (seconds === null || told === null || seconds <= 2 * told + 60) return undefined
  return `it goes on beyond its own length: ${formatClock(seconds)} of ${formatClock(told)}`
}

/** A film that was within bounds when it was probed. */
function brokenIn(limit: string, seconds: number | null): string {
  return seconds === null ? limit : `near ${formatClock(seconds)} ${limit}`
}

async function start(request: EncodeRequest, run: Parameters<typeof runProcess>[0]): Promise<ProcessResult> {
  try {
    return await runProcess(run)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    const report = { stderr_tail: '', exit_code: null, command: [...request.command] }
    throw new EncodeError('other', error.message, { class: 'worker', step: 'encode', ...report })
  }
}

/** Newer versions go on reporting while nothing moves; then only fps and speed change, as time goes by. */
function workDone(progress: EncodeProgress | undefined): string {
  return `${progress?.frame} ${progress?.out_time_seconds} ${progress?.size_bytes}`
}

/** Moving the index to the front rewrites the whole file and prints no progress meanwhile. */
async function fileState(path: string): Promise<string> {
  const facts = await stat(path).catch(() => undefined)
  return facts === undefined ? 'none' : `${facts.size} ${facts.mtimeMs}`
}
