import { ConversionError, type FailureClass } from '../../contract/failure.ts'
import { formatDuration } from '../../util/format.ts'
import { brokenLimit, fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import { type ProcessResult, runProcess } from '../process.ts'
import type { Tools } from '../tools.ts'
import type { MediaInfo } from './media-info.ts'
import { parseMediaInfo } from './parse-media-info.ts'

/** What to look at and with what. */
export interface ProbeRequest {
  path: string
  tools: Pick<Tools, 'ffprobe_path'>
  environment: Record<string, string | undefined>
  timeout_ms: number
  signal: AbortSignal
}

/** A file as ffprobe sees it. */
export interface Reading {
  info: MediaInfo
  /** What ffprobe found wrong and read on in spite of, its own lines; usually empty. */
  complaints: string
}

/** Files with thousands of chapters and tags stay far below this; what does not is no honest video. */
const maxProbeBytes = 8 * 1024 * 1024
/** Bytes that ffprobe may take: an mp4 of a kilobyte can claim an index of gigabytes, and that of a day's film has 500 MB. */
const maxMemoryBytes = 4 * 1024 ** 3

/** Runs ffprobe on a file and gives what it says, whatever streams there are. */
export async function readMediaInfo(request: ProbeRequest, options: readonly string[] = []): Promise<Reading> {
  const argv = [request.tools.ffprobe_path, ...probeArgs(request.path, options)]
  const bounds = { max_stdout_bytes: maxProbeBytes, max_memory_bytes: maxMemoryBytes }
  const result = await runProcess({ ...request, argv, ...bounds })
  if (result.killed_for === 'abort') throw request.signal.reason
  const info = result.exit_code === 0 && result.killed_for === null ? readDescription(result.stdout) : undefined
  if (info !== undefined) return { info, complaints: result.stderr_tail.trim() }
  const [message, failureClass] = explain(result, request.timeout_ms)
  throw new ConversionError(message, {
    class: failureClass,
    step: 'probe',
    command: argv,
    stderr_tail: result.stderr_tail,
    exit_code: result.exit_code,
  })
}

/** ffprobe's whole argv but the program; `options` go before the input. */
export function probeArgs(path: string, options: readonly string[] = []): string[] {
  return [
    ['-hide_banner', '-loglevel', 'error', ...inputLimits, ...options],
    ['-of', 'json', '-show_format', '-show_streams', '-show_chapters', '-i', fileUrl(path)],
  ].flat()
}

/** Undefined for what is not ffprobe's JSON as we know it. */
function readDescription(json: string): MediaInfo | undefined {
  try {
    return parseMediaInfo(json)
  } catch {
    return undefined
  }
}

function explain(result: ProcessResult, timeoutMs: number): [string, FailureClass] {
  const text = result.stderr_tail
  if (result.killed_for === 'timeout')
    return [`reading it took longer than ${formatDuration(timeoutMs / 1000)}`, 'retryable']
  if (result.killed_for === 'overflow') return ['not a usable video: its description is too long', 'permanent']
  if (result.exit_code === 0) return ['its description by ffprobe cannot be understood', 'worker']
  if (result.signal !== null) return [`ffprobe was killed by ${result.signal}`, 'retryable']
  if (text.includes('Format not on whitelist'))
    return ['a playlist or a script that names other files, not a video', 'permanent']
  const limit = brokenLimit(text)
  if (limit !== undefined) return [`not a usable video: ${limit}`, 'permanent']
  if (text.includes('Cannot allocate memory')) return ['reading it takes too much memory', 'retryable']
  if (text.includes('moov atom not found')) {
    return ['truncated or never finished: its index (moov atom) is missing', 'permanent']
  }
  if (text.includes('error reading header')) return ['damaged or truncated: its header cannot be read', 'permanent']
  if (text.includes('Input/output error')) return ['the file cannot be read: the storage reports an error', 'retryable']
  if (text.includes('Permission denied')) return ['permission denied: the file may not be read', 'permanent']
  if (text.includes('No such file or directory')) return ['the file is not there any more', 'permanent']
  return ['not a video: no known video format', 'permanent']
}
