import type { FailureClass } from '../../contract/failure.ts'
import { formatClock, formatDuration } from '../../util/format.ts'
import type { EncodeError } from '../encode-error.ts'
import { plain } from '../ffmpeg/error-lines.ts'
import type { ProcessResult } from '../process.ts'

/** All that is known of an ended encode. */
export interface EndedEncode {
  result: ProcessResult
  /** Lines of level error and above, in order. */
  error_lines: readonly string[]
  /** Seconds of media written in the end, and when the first error was told; null before the first report. */
  position_seconds: number | null
  error_seconds: number | null
  /** Seconds of the source; null when not known. */
  duration_seconds: number | null
  timeout_ms: number
  stall_timeout_ms: number
}

/** Why an encode is no success, and whom a further attempt may help. */
export interface EncodeFailure {
  message: string
  class: FailureClass
  kind: EncodeError['kind']
}

/** Judges an ended encode; undefined when it went well. */
export function encodeFailure(ended: EndedEncode): EncodeFailure | undefined {
  const { result, error_lines: errors } = ended
  if (result.killed_for === 'stall') {
    return {
      class: 'retryable',
      kind: 'stall',
      message: `ffmpeg made no progress for ${formatDuration(ended.stall_timeout_ms / 1000)}`,
    }
  }
  if (result.killed_for === 'timeout') {
    return {
      class: 'retryable',
      kind: 'other',
      message: `the encode took longer than ${formatDuration(ended.timeout_ms / 1000)}`,
    }
  }
  if (result.signal !== null && result.killed_for === null) {
    const guess = result.signal === 'SIGKILL' ? ' (is memory short?)' : ''
    return { class: 'retryable', kind: 'other', message: `ffmpeg was killed by ${result.signal}${guess}` }
  }
  const text = `${errors.join('\n')}\n${result.exit_code === 0 ? '' : result.stderr_tail}`
  for (const [pattern, explain] of causes) {
    const match = pattern.exec(text)
    if (match) return explain(match)
  }
  if (/Failed setup for format vulkan|Unsupported pixel format: |Invalid output format .* for hwframe/.test(text)) {
    const why = plain(errors[0] ?? '')
    return { class: 'worker', kind: 'unsupported', message: `the GPU does not decode this kind of it (${why})` }
  }
  if (text.includes('File ended prematurely')) return { class: 'permanent', kind: 'other', message: truncated(ended) }
  const [first] = errors
  if (first !== undefined && outputSide.test(first)) {
    return { class: 'worker', kind: 'other', message: `this ffmpeg could not encode it (${plain(first)})` }
  }
  if (first !== undefined) return { class: 'permanent', kind: 'other', message: `${damaged(ended)} (${plain(first)})` }
  if (result.exit_code === 0) return undefined
  return {
    class: 'retryable',
    kind: 'other',
    message: `ffmpeg ended with exit code ${result.exit_code} and gave no reason`,
  }
}

/** What is not the source's fault, by FFmpeg's words, which have not changed from 5.1 to 9.0. */
const causes: [RegExp, (match: RegExpExecArray) => EncodeFailure][] = [
  [
    /No space left on device|Disk quota exceeded/,
    () => ({ class: 'retryable', kind: 'storage', message: 'the disk is full' }),
  ],
  [
    /Read-only file system/,
    () => ({ class: 'retryable', kind: 'storage', message: 'the output folder is on a read-only file system' }),
  ],
  [
    /(\] file:.*|Error opening (in|out)put.*): No such file or directory/,
    () => ({ class: 'retryable', kind: 'storage', message: 'the source or the folder for its result went away' }),
  ],
  [
    /Input\/output error|Stale file handle/,
    () => ({ class: 'retryable', kind: 'storage', message: 'the storage reports an error' }),
  ],
  [/Cannot allocate memory/, () => ({ class: 'retryable', kind: 'other', message: 'memory is short' })],
  [
    /Unknown encoder '([^']+)'/,
    ([, name]) => ({ class: 'worker', kind: 'other', message: `the encoder ${name} is not in this ffmpeg` }),
  ],
  [
    /Decoder \(codec ([^)]+)\) not found|Decoding requested, but no decoder found for: (\S+)/,
    ([, name, other]) => ({ class: 'worker', kind: 'other', message: `this ffmpeg cannot decode ${name ?? other}` }),
  ],
  [
    /No such filter: '([^']+)'/,
    ([, name]) => ({ class: 'worker', kind: 'other', message: `the filter ${name} is not in this ffmpeg` }),
  ],
  [
    /Unrecognized option '([^']+)'/,
    ([, name]) => ({ class: 'worker', kind: 'other', message: `this ffmpeg does not know the option ${name}` }),
  ],
]

/**
 * Who speaks when encoder, muxer or a GPU are at fault. The source's side has other names: `mov,mp4,…`, `h264`, `ist#`,
 * `dec:`. What concerns the opening of a GPU comes from no component at all.
 */
const outputSide = new RegExp(
  [
    String.raw`^\[(vost#|aost#|out#|fc#|vf#|AVHW\w+Context @|Vulkan @|VAAPI|Parsed_(scale_vulkan|libplacebo|zscale|tonemap|hwupload|hwdownload)_\d+ @)`,
    String.raw`^\[(libx264|libx265|libsvtav1|libvpx-vp9|prores_ks|\w+_(vulkan|nvenc|qsv|vaapi|amf|videotoolbox)) @`,
    String.raw`^\[(libopus|mp4|mov|matroska|webm) @`,
    'init_hw_device|Device creation failed|Unable to find device|No device available for decoder',
  ].join('|'),
)

function truncated({ position_seconds: position, duration_seconds: duration }: EndedEncode): string {
  if (position === null || duration === null) return 'truncated: the file ends in mid-film'
  return `truncated: ends at ${formatClock(position)} of ${formatClock(duration)}`
}

/** The decoder is a little ahead of what is written. */
function damaged({ error_seconds: position }: EndedEncode): string {
  return position === null ? 'damaged: it cannot be decoded' : `damaged: decoding failed near ${formatClock(position)}`
}
