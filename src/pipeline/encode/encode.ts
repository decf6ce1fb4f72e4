import { stat } from 'node:fs/promises'
import { formatClock } from '../../util/format.ts'
import { EncodeError } from '../encode-error.ts'
import { brokenLimit } from '../ffmpeg/input-limits.ts'
import type { EncodeProgress } from '../ffmpeg/progress.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import { StartError } from '../process/guard.ts'
import { stallWatch } from '../process/stall-watch.ts'
import { type EncodeFailure, encodeFailure } from './encode-failure.ts'
import { outputWatch, type OutputWatchRequest, type SeenOutput } from './output-watch.ts'

/** One run of ffmpeg. */
export interface EncodeRequest extends OutputWatchRequest {
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
  signal: AbortSignal
}

/**
 * Runs an encode to its end and gives the last progress. It went well when ffmpeg exits 0 and wrote no line of level
 * error: 5.1 to 9.0 exit 0 after damage, with nothing but such a line. `-xerror` would miss cut-off Matroska, and refuse
 * healthy phone clips that have two frames at one time. Throws `EncodeError` (step encode), or the signal's reason
 * when it aborts.
 */
export async function encode(request: EncodeRequest): Promise<EncodeProgress | undefined> {
  const stop = new AbortController()
  const watch = outputWatch(request, () => stop.abort())
  const result = await start(request, {
    argv: request.command,
    // SVT-AV1 writes a page of settings to standard error otherwise; 1 is errors only.
    environment: { ...request.environment, SVT_LOG: '1' },
    timeout_ms: request.timeout_ms,
    signal: AbortSignal.any([request.signal, stop.signal]),
    watchdog: stallWatch(
      request.stall_timeout_ms,
      async () => `${workDone(watch.seen.last)} ${await fileState(request.output_path)}`,
    ),
    on_line: watch.onLine,
    on_error_line: watch.onErrorLine,
  })
  if (result.killed_for === 'abort' && request.signal.aborted) throw request.signal.reason
  const failure = failureOf(request, watch.seen, result)
  if (failure !== undefined) {
    throw new EncodeError(failure.kind, failure.message, {
      class: failure.class,
      step: 'encode',
      command: [...request.command],
      stderr_tail: result.stderr_tail,
      exit_code: result.exit_code,
    })
  }
  watch.tellLost()
  return watch.seen.last
}

function failureOf(request: EncodeRequest, seen: SeenOutput, result: ProcessResult): EncodeFailure | undefined {
  if (seen.endless !== undefined) return { kind: 'other', message: seen.endless, class: 'permanent' }
  const failure = encodeFailure({
    result,
    error_lines: seen.error_lines,
    position_seconds: seen.last?.out_time_seconds ?? null,
    error_seconds: seen.error_seconds,
    duration_seconds: request.duration_seconds,
    timeout_ms: request.timeout_ms,
    stall_timeout_ms: request.stall_timeout_ms,
  })
  const limit = failure?.class === 'permanent' ? brokenLimit(seen.error_lines[0] ?? '') : undefined
  return failure && limit !== undefined ? { ...failure, message: brokenIn(limit, seen.error_seconds) } : failure
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
