import type { VideoPath } from '../../contract/gpu.ts'
import type { Progress } from '../../contract/job.ts'

/** What one block of ffmpeg's `-progress` says; null where it says `N/A` or nothing. */
export interface EncodeProgress {
  frame: number | null
  fps: number | null
  /** Seconds of media per second of wall time. */
  speed: number | null
  out_time_seconds: number | null
  size_bytes: number | null
  dup_frames: number | null
  drop_frames: number | null
  /** Whether this is the last block. */
  is_done: boolean
}

/** A reader of `-progress` lines: gives a block at the line that ends it, else undefined. */
export function progressReader(): (line: string) => EncodeProgress | undefined {
  let block = new Map<string, string>()
  return (line) => {
    const split = line.indexOf('=')
    if (split < 0) return undefined
    const [key, value] = [line.slice(0, split).trim(), line.slice(split + 1).trim()]
    block.set(key, value)
    if (key !== 'progress') return undefined
    const ended = block
    block = new Map()
    return toProgress(ended)
  }
}

function toProgress(block: Map<string, string>): EncodeProgress {
  const number = (key: string) => parseNumber(block.get(key))
  // `out_time_ms` has been microseconds since 2011, and stays so by tradition.
  const microseconds = number('out_time_us') ?? number('out_time_ms')
  return {
    frame: number('frame'),
    // 0 until it is measured.
    fps: number('fps') || null,
    speed: number('speed'),
    // Before the first packet FFmpeg prints its smallest 64-bit number.
    out_time_seconds: microseconds === null || microseconds < 0 ? null : microseconds / 1e6,
    size_bytes: number('total_size'),
    dup_frames: number('dup_frames'),
    drop_frames: number('drop_frames'),
    is_done: block.get('progress') === 'end',
  }
}

/** `  30.00`, `1.5x`, `N/A` */
function parseNumber(text: string | undefined): number | null {
  const number = text === undefined || text === '' ? Number.NaN : Number(text.replace(/x$/, ''))
  return Number.isFinite(number) ? number : null
}

/** Which of a conversion's runs of ffmpeg, from 0, of how many. */
export interface RunPlace {
  index: number
  count: number
}

/**
 * An encode's progress as the contract tells it; `durationSeconds` is the source's, null when not known. Of two passes each
 * counts for a half, and the one that is still to come is taken to be as fast as this one.
 */
export function jobProgress(
  block: EncodeProgress,
  durationSeconds: number | null,
  runs_on: VideoPath,
  { index, count }: RunPlace = { index: 0, count: 1 },
): Progress {
  const { out_time_seconds: done, speed } = block
  const total = durationSeconds !== null && durationSeconds > 0 ? durationSeconds : null
  // A second pass begins where the first one ended, not at an unknown place.
  const passed = total === null ? null : (done ?? (index > 0 ? 0 : null))
  const share = total === null || passed === null ? null : Math.min(1, passed / total)
  const left = total === null || share === null ? null : total * (count - index - share)
  return {
    step: 'encode',
    percent: share === null ? null : ((index + share) / count) * 100,
    fps: block.fps,
    speed,
    eta_seconds: left !== null && speed !== null && speed > 0 ? left / speed : null,
    runs_on,
  }
}
