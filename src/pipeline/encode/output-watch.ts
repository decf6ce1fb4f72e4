import { formatClock } from '../../util/format.ts'
import { isErrorLine } from '../ffmpeg/error-lines.ts'
import { type EncodeProgress, progressReader } from '../ffmpeg/progress.ts'
import { leadingErrors } from './leading-errors.ts'

/** What decides which of ffmpeg's words end an encode. */
export interface OutputWatchRequest {
  /** Seconds that the container tells by more than a guess: what goes on for far longer is stopped. Missing or null for no such bound. */
  told_seconds?: number | null
  /** For a source that may begin between two key frames: told in the end how many pictures were lost by that. */
  on_lost?: ((pictures: number) => void) | undefined
  on_progress: (progress: EncodeProgress) => void
}

/** What an encode has said so far. */
export interface SeenOutput {
  /** The last report; undefined before the first. */
  last: EncodeProgress | undefined
  /** Lines of level error and above, in order. */
  error_lines: string[]
  /** Seconds of media written when the first of them came; null before the first report. */
  error_seconds: number | null
  /** Why it was stopped, a clause, where it goes on beyond its own length. */
  endless: string | undefined
}

const maxErrorLines = 100

/**
 * Reads what an encode says, line by line, and stops it where going on is of no use: what is damaged is not encoded to its
 * end, but for one report after the first error, so that what follows it is told too.
 */
export function outputWatch(request: OutputWatchRequest, stop: () => void) {
  const read = progressReader()
  const leading = leadingErrors()
  const seen: SeenOutput = { last: undefined, error_lines: [], error_seconds: null, endless: undefined }
  let isErrorReported = false
  return {
    seen,

    /** For each line of standard output. */
    onLine: (line: string) => {
      const progress = read(line)
      if (progress === undefined) return
      if (isErrorReported && !progress.is_done) stop()
      isErrorReported = seen.error_lines.length > 0
      seen.last = progress
      seen.endless ??= beyondLength(progress, request.told_seconds ?? null)
      if (seen.endless !== undefined) stop()
      request.on_progress(progress)
    },

    /** For each line of standard error. */
    onErrorLine: (line: string) => {
      if (!isErrorLine(line) || seen.error_lines.length >= maxErrorLines) return
      if (request.on_lost && leading.excuses(line, seen.last?.frame ?? 0)) return
      if (seen.error_lines.length === 0) seen.error_seconds = seen.last?.out_time_seconds ?? null
      seen.error_lines.push(line)
    },

    /** For an encode that went well. */
    tellLost: () => {
      request.on_lost?.(leading.lost())
    },
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
