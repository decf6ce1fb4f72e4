import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ConversionError, type FailureClass } from '../contract/failure.ts'
import { formatCount } from '../util/format.ts'
import { fileUrl, inputLimits, maxPixels, maxSide } from './input-limits.ts'
import { errnoOf } from './errno.ts'
import { type MediaInfo, parseMediaInfo } from './media-info.ts'
import { type ProcessResult, runProcess } from './process.ts'
import type { Tools } from './tools.ts'

/** What to look at and with what. */
export interface ProbeRequest {
  path: string
  tools: Pick<Tools, 'ffprobe_path'>
  environment: Record<string, string | undefined>
  timeout_ms: number
  signal: AbortSignal
}

/** Files with thousands of chapters and tags stay far below this; what does not is no honest video. */
const maxProbeBytes = 8 * 1024 * 1024

/**
 * Looks at a source. Throws `ConversionError` (step probe) with a sentence for what cannot be converted: a file that is
 * missing, unreadable, empty, no video, a playlist, cut off before its index, or too large a picture.
 */
export async function probeSource(request: ProbeRequest): Promise<MediaInfo> {
  await refuseUnreadable(request.path)
  const info = await readMediaInfo(request)
  refuseUnusable(info)
  return info
}

/** Runs ffprobe on a file and gives what it says, whatever streams there are. */
export async function readMediaInfo(request: ProbeRequest, options: readonly string[] = []): Promise<MediaInfo> {
  const argv = [request.tools.ffprobe_path, ...probeArgs(request.path, options)]
  const result = await runProcess({ ...request, argv, max_stdout_bytes: maxProbeBytes })
  if (result.killed_for === 'abort') throw request.signal.reason
  if (result.exit_code === 0 && result.killed_for === null) return parseMediaInfo(result.stdout)
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
    ...['-hide_banner', '-loglevel', 'error', ...inputLimits, ...options],
    ...['-of', 'json', '-show_format', '-show_streams', '-show_chapters', '-i', fileUrl(path)],
  ]
}

function explain(result: ProcessResult, timeoutMs: number): [string, FailureClass] {
  const text = result.stderr_tail
  if (result.killed_for === 'timeout') return [`reading it took longer than ${timeoutMs / 1000} s`, 'retryable']
  if (result.killed_for === 'overflow') return ['not a usable video: its description is too long', 'permanent']
  if (result.signal !== null) return [`ffprobe was killed by ${result.signal}`, 'retryable']
  if (text.includes('Format not on whitelist')) return ['a playlist or a script that names other files, not a video', 'permanent']
  if (text.includes('moov atom not found')) {
    return ['truncated or never finished: its index (moov atom) is missing', 'permanent']
  }
  if (text.includes('error reading header')) return ['damaged or truncated: its header cannot be read', 'permanent']
  if (text.includes('Input/output error')) return ['the file cannot be read: the storage reports an error', 'retryable']
  if (text.includes('Permission denied')) return ['permission denied: the file may not be read', 'permanent']
  if (text.includes('No such file or directory')) return ['the file is not there any more', 'permanent']
  return ['not a video: no known video format', 'permanent']
}

/** ffprobe has one sentence for most of these, and would wait on a fifo for ever. */
async function refuseUnreadable(path: string): Promise<void> {
  const failed = (message: string, failureClass: FailureClass = 'permanent') =>
    new ConversionError(message, { class: failureClass, step: 'probe' })
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) throw failed('a folder, not a file')
    if (!facts.isFile()) throw failed('not a regular file')
    if (facts.size === 0) throw failed('the file is empty')
    await access(path, constants.R_OK)
  } catch (error) {
    if (error instanceof ConversionError) throw error
    switch (errnoOf(error)) {
      case 'ENOENT':
      case 'ENOTDIR':
        // A storage that is not mounted here is this worker's fault, not the file's.
        if (await isFolder(dirname(path))) throw failed('the file is not there any more')
        throw failed('its folder is not there: is the storage mounted on this worker?', 'worker')
      case 'EACCES':
      case 'EPERM':
        throw failed('permission denied: the file may not be read')
      case 'ELOOP':
        throw failed('a symbolic link that leads back to itself')
      default:
        throw failed(`the file cannot be read: ${errnoOf(error) ?? String(error)}`, 'retryable')
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}

function refuseUnusable(info: MediaInfo): void {
  const refuse = (message: string) => {
    throw new ConversionError(message, { class: 'permanent', step: 'probe' })
  }
  const videos = info.streams.filter((stream) => stream.kind === 'video')
  const films = videos.filter((stream) => !stream.is_cover)
  const hasAudio = info.streams.some((stream) => stream.kind === 'audio')
  if (films.length === 0) {
    if (videos.length > 0) refuse('no video stream, only audio with cover art')
    refuse(hasAudio ? 'no video stream, only audio' : 'no video stream')
  }
  const huge = films.find(({ width, height }) => Math.max(width, height) > maxSide || width * height > maxPixels)
  if (huge) refuse(`the picture is too large: ${formatCount(huge.width)} x ${formatCount(huge.height)} pixels`)
  if (films.every(({ width, height }) => width === 0 || height === 0)) {
    refuse('damaged or not a video: the size of its picture cannot be told')
  }
}
