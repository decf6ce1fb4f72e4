import { encodeFailure } from '../encode/encode-failure.ts'
import { isErrorLine } from '../ffmpeg/error-lines.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import { StartError } from '../process/guard.ts'
import type { Tools } from '../tools.ts'

/** What all trials of one proof share. */
export interface TrialSetting {
  tools: Tools
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Where they may write; its owner removes it. */
  folder: string
}

/** One run of ffmpeg. */
export interface TrialRequest {
  /** What is tried, as the subject of `the test encode failed`. */
  what: string
  /** Input, filters and output; the program and what all runs are told are added. */
  args: readonly string[]
  /** Milliseconds that it may take; then it is killed by SIGKILL, which alone ends a hang in a driver. */
  timeout_ms: number
  /** How much it tells; `warning` unless told. */
  level?: 'warning' | 'info' | 'verbose'
  /** Its standard output, line by line. */
  on_line?: (line: string) => void
  /** Its standard error, line by line. */
  on_error_line?: (line: string) => void
  /** Kills it when aborted; it then counts as gone well as far as it came. */
  stop?: AbortSignal
  /** Kills it when nothing new was seen for so many milliseconds; `seen` is compared from look to look. */
  stall?: { timeout_ms: number; seen: () => number }
}

/** How a run ended. */
export interface TrialEnd {
  /** Why it is no success, in plain words; null when it went well. */
  reason: string | null
  /** Null when the program did not even start. */
  result: ProcessResult | null
}

/**
 * Milliseconds that a short run may take. A healthy one takes a second; what follows a killed hang waits some 5 s for the
 * driver, and lavapipe on a busy machine is slow.
 */
export const trialTimeoutMs = 30_000

/** Looks in a stall timeout; they are counted, since a machine may sleep between two of them. */
const stallLooks = 8

/** Runs ffmpeg once. Rejects only when the signal aborts, with its reason. */
export async function trial(setting: TrialSetting, request: TrialRequest): Promise<TrialEnd> {
  const errors: string[] = []
  const { stall, stop } = request
  const level = `level+${request.level ?? 'warning'}`
  const argv = [setting.tools.ffmpeg_path, '-nostdin', '-hide_banner', '-loglevel', level, '-nostats', '-y']
  try {
    const result = await runProcess({
      argv: [...argv, ...request.args],
      // SVT-AV1 writes a page of settings to standard error otherwise; 1 is errors only.
      environment: { ...setting.environment, SVT_LOG: '1' },
      signal: stop === undefined ? setting.signal : AbortSignal.any([setting.signal, stop]),
      timeout_ms: request.timeout_ms,
      ...(request.on_line && { on_line: request.on_line }),
      on_error_line: (line) => {
        if (isErrorLine(line)) errors.push(line)
        request.on_error_line?.(line)
      },
      ...(stall && {
        watchdog: { interval_ms: Math.ceil(stall.timeout_ms / stallLooks), isStalled: stallWatch(stall.seen) },
      }),
    })
    setting.signal.throwIfAborted()
    const isStopped = result.killed_for === 'abort' && errors.length === 0
    return { reason: isStopped ? null : failureText(result, errors, request), result }
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return { reason: error.message, result: null }
  }
}

/** With `what` as its subject where the cause lies in what was tried. */
function failureText(
  result: ProcessResult,
  errorLines: readonly string[],
  { what, timeout_ms, stall }: Pick<TrialRequest, 'what' | 'timeout_ms' | 'stall'>,
): string | null {
  const failure = encodeFailure({
    result,
    error_lines: errorLines,
    position_seconds: null,
    error_seconds: null,
    duration_seconds: null,
    timeout_ms,
    stall_timeout_ms: stall?.timeout_ms ?? timeout_ms,
  })
  if (failure === undefined) return null
  return failure.message
    .replace('damaged: it cannot be decoded', `${what} failed`)
    .replace('the encode took', `${what} took`)
}

function stallWatch(seen: () => number): () => Promise<boolean> {
  let before: number | undefined
  let sameLooks = 0
  return () => {
    const now = seen()
    sameLooks = now === before ? sameLooks + 1 : 0
    before = now
    return Promise.resolve(sameLooks >= stallLooks)
  }
}
