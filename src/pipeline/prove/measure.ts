import { progressReader } from '../ffmpeg/progress.ts'
import { type TrialEnd, type TrialSetting, trial } from './trial.ts'

/** What to run, and for how long. */
export interface MeasureRequest {
  /** FFmpeg's arguments of a conversion that does not end by itself. */
  args: readonly string[]
  /** How many of them run side by side. */
  processes: number
  /** Milliseconds from the first frames of each on that are enough. */
  window_ms: number
  /** Milliseconds after which all are killed, and measured by what they did. */
  cap_ms: number
}

/** How fast one of several equal conversions is. */
export interface Measurement {
  /** Frames per second; null when it failed. */
  fps: number | null
  /** Milliseconds; null when it failed, or where CPU time cannot be read. */
  cpu_ms_per_frame: number | null
  /** Milliseconds to the first report of frames; null when it failed. */
  start_ms: number | null
  /** Why it failed; null when it did not. */
  reason: string | null
}

/** Runs conversions side by side until each has been seen for a while. Rejects only when the signal aborts. */
export async function measure(setting: TrialSetting, request: MeasureRequest): Promise<Measurement> {
  const { args, processes, window_ms, cap_ms } = request
  const stop = new AbortController()
  const cap = setTimeout(() => stop.abort(), cap_ms)
  const watches = Array.from({ length: processes }, () => new FrameWatch(performance.now()))
  try {
    const ends = await Promise.all(
      watches.map(async (watch) => {
        const read = progressReader()
        const end = await trial(setting, {
          what: 'the conversion',
          args,
          timeout_ms: 2 * cap_ms,
          stop: stop.signal,
          on_line: (line) => {
            const progress = read(line)
            if (progress !== undefined) watch.see(progress.frame ?? 0, performance.now())
            // All go on until the last one is done, so that each is measured beside the others.
            if (watches.every((each) => each.seconds * 1000 >= window_ms)) stop.abort()
          },
        })
        if (end.reason !== null) stop.abort()
        return end
      }),
    )
    return result(watches, ends, performance.now())
  } finally {
    clearTimeout(cap)
  }
}

function result(watches: readonly FrameWatch[], ends: readonly TrialEnd[], now: number): Measurement {
  const failed = ends.find(({ reason }) => reason !== null)?.reason
  const reason = failed ?? watches.map((watch) => watch.problem(now)).find((problem) => problem !== null)
  if (reason !== undefined) return { fps: null, cpu_ms_per_frame: null, start_ms: null, reason }
  const speeds = watches.map((watch) => watch.fps)
  const frames = sum(watches.map((watch) => watch.frames))
  const cpu = ends.map((end) => end.result?.cpu_ms ?? null).filter((ms) => ms !== null)
  return {
    fps: sum(speeds) / speeds.length,
    cpu_ms_per_frame: cpu.length === ends.length ? sum(cpu) / frames : null,
    start_ms: sum(watches.map((watch) => watch.startMs)) / watches.length,
    reason: null,
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

/** Reports of one process. Only those that tell of new frames count: encoders give them in bursts. */
export class FrameWatch {
  readonly #start: number
  #first: { frames: number; at: number } | undefined
  #last: { frames: number; at: number } | undefined
  #longestGap = 0

  /** `start`, as all times here, is in milliseconds of one clock. */
  constructor(start: number) {
    this.#start = start
  }

  /** Takes a report of the frames done so far. */
  see(frames: number, at: number): void {
    if (frames <= this.frames) return
    this.#longestGap = Math.max(this.#longestGap, at - (this.#last?.at ?? this.#start))
    this.#last = { frames, at }
    this.#first ??= this.#last
  }

  /** Milliseconds from its start to the first report of frames. */
  get startMs(): number {
    return (this.#first?.at ?? this.#start) - this.#start
  }

  /** Frames done at the last report. */
  get frames(): number {
    return this.#last?.frames ?? 0
  }

  /** Seconds from the first report of frames to the last. */
  get seconds(): number {
    return ((this.#last?.at ?? 0) - (this.#first?.at ?? 0)) / 1000
  }

  /** Frames per second after the start-up; with the start-up where there is but one report; 0 without frames. */
  get fps(): number {
    if (this.#first === undefined) return 0
    if (this.seconds > 0) return (this.frames - this.#first.frames) / this.seconds
    return (this.frames * 1000) / Math.max(1, this.#first.at - this.#start)
  }

  /** Why it counts as failed when it is stopped now; null when it does not. */
  problem(now: number): string | null {
    if (this.#last === undefined) return `there was no frame within ${Math.round((now - this.#start) / 1000)} s`
    const gap = now - this.#last.at
    const isHang = gap > 2 * this.#longestGap && gap > (now - this.#start) / 2
    return isHang ? `it stood still after ${this.frames} frames` : null
  }
}
