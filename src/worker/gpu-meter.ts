import type { GpuUsage } from '../contract/gpu.ts'
import { type ProcessResult, runProcess } from '../pipeline/process.ts'
import { jittered, sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { gpuArgument, parseReading } from '../vulkan/usage/lines.ts'
import { canBeRead, type MeteredGpu } from '../vulkan/usage/reader.ts'
import { unknownUsage } from '../vulkan/usage/values.ts'

export interface GpuMeterOptions {
  /** What starts this program; `watch-gpus` and its arguments come after it. */
  command: readonly string[]
  gpus: readonly MeteredGpu[]
  /** Milliseconds between two readings, 10 to 3,600,000. */
  interval_ms: number
  /** The child's whole environment. */
  environment: Record<string, string | undefined>
  /** Ends the meter and its child. */
  signal: AbortSignal
  log: Log
  /** Milliseconds that the first reading may take; 30 s unless told, since NVIDIA's driver may have to be loaded. */
  start_timeout_ms?: number
  /** Milliseconds before a child that failed is started again, doubled each time up to 5 minutes; 1 s unless told. */
  first_pause_ms?: number
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

/** The measured use of this machine's GPUs. */
export interface GpuMeter {
  /** The newest reading of a GPU; null where there is none, it is older than three intervals, or it tells nothing. */
  usage: (id: string) => GpuUsage
  /** Resolves once the signal has aborted and the child is gone; at once when there is nothing to read. Never rejects. */
  stopped: Promise<void>
}

/** Readings may be this many intervals old, and a child this many silent. */
const freshIntervals = 3
const silentIntervals = 5
const longestPauseMs = 5 * 60_000

/**
 * Reads how busy the GPUs are in a child of our own executable: a driver that hangs or crashes there costs a line in the
 * log, and the readings until the child is started again. Without a GPU that can be read no child is started.
 */
export function startGpuMeter(options: GpuMeterOptions): GpuMeter {
  const { interval_ms, now = () => performance.now() } = options
  const readings = new Map<string, { usage: GpuUsage; at: number }>()
  const argv = [...options.command, 'watch-gpus', '--interval', `${interval_ms}ms`]
  const gpus = options.gpus.flatMap((gpu) =>
    gpu.pci_address !== null && canBeRead(gpu) ? [gpuArgument({ ...gpu, pci_address: gpu.pci_address })] : [],
  )
  return {
    usage(id) {
      const reading = readings.get(id)
      return reading && now() - reading.at <= freshIntervals * interval_ms ? reading.usage : unknownUsage
    },
    stopped: gpus.length === 0 ? Promise.resolve() : keepRunning(),
  }

  async function keepRunning(): Promise<void> {
    const { signal, log, first_pause_ms = 1000 } = options
    for (let failures = 0; !signal.aborted; failures++) {
      const startedAt = now()
      const failure = await runChild()
      if (signal.aborted) return
      // One that went well for long has begun a new row of failures, not gone on with an old one.
      if (now() - startedAt > longestPauseMs) failures = 0
      const pause_ms = Math.min(first_pause_ms * 2 ** Math.min(failures, 20), longestPauseMs)
      const sentence = `cannot read how busy the GPUs are, will go on trying: ${failure}`
      if (failures === 0) log.warn(sentence)
      else log.debug(sentence, { failures: failures + 1 })
      await sleep(jittered(pause_ms), signal)
    }
  }

  /** How the child ended, as a clause. */
  async function runChild(): Promise<string> {
    const { signal, start_timeout_ms = 30_000 } = options
    const patience_ms = silentIntervals * interval_ms
    let silentFrom = now()
    let isSilentAfter = Math.max(patience_ms, start_timeout_ms)
    try {
      const result = await runProcess({
        argv: [...argv, ...gpus],
        // A driver's crash is no fault of Bun's to be told to its makers.
        environment: { ...options.environment, BUN_ENABLE_CRASH_REPORTING: '0' },
        timeout_ms: null,
        signal,
        on_line(line) {
          const reading = parseReading(line)
          if (!reading) return
          silentFrom = now()
          isSilentAfter = patience_ms
          readings.set(reading.id, { usage: reading.usage, at: silentFrom })
        },
        watchdog: { interval_ms, isStalled: () => Promise.resolve(now() - silentFrom > isSilentAfter) },
      })
      return describe(result)
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
}

function describe({ killed_for, signal, exit_code, stderr_tail }: ProcessResult): string {
  if (killed_for === 'stall') return 'the process that asks the drivers hung and was ended'
  if (signal !== null) return `the process that asks the drivers crashed (${signal})`
  const lastLine = stderr_tail.trim().split('\n').at(-1) ?? ''
  return `the process that asks the drivers ended (exit code ${exit_code})${lastLine === '' ? '' : `: ${lastLine}`}`
}
