import type { GpuReport } from '../contract/gpu.ts'
import type { SetAside, WorkerView } from '../contract/worker.ts'
import type { SetAside as StandingAside } from '../queue/standings.ts'
import { formatDuration } from '../util/format.ts'
import type { Parts } from './parts.ts'

/**
 * The workers as the master sees them now: one that was silent for too long is offline and does nothing. What it said of
 * the moment, its GPUs' use above all, is not told any more; what its GPUs can do is.
 */
export async function viewWorkers(
  parts: Pick<Parts, 'store' | 'clock' | 'worker_timeout_ms' | 'obstacles'>,
): Promise<WorkerView[]> {
  const workers = await parts.store.workers()
  const aside = new Map((await parts.store.setAside()).map((one) => [one.worker_id, asideView(one, parts.clock())]))
  return workers.map(({ boot_id: _, status, ...known }) => {
    const worker = { ...known, set_aside: aside.get(known.id) ?? null }
    const age =
      worker.last_heartbeat === null ? Number.POSITIVE_INFINITY : parts.clock() - Date.parse(worker.last_heartbeat)
    if (age < parts.worker_timeout_ms) {
      return { ...worker, active: true, status, obstacle: parts.obstacles.get(known.id) ?? null }
    }
    const gpu_report = worker.gpu_report && atRest(worker.gpu_report)
    return { ...worker, active: false, status: 'offline', active_jobs: 0, gpu_usage: null, gpu_report }
  })
}

/** How a worker is set aside, for how long from now on. */
export function asideView({ until_ms, failures, reason }: StandingAside, now_ms: number): SetAside {
  return { seconds_left: Math.ceil((until_ms - now_ms) / 1000), failures, reason }
}

/** `set aside for 2 minutes after 5 failures in a row: the encoder stopped` */
export function asideText({ seconds_left, failures, reason }: SetAside): string {
  const times = `${failures} ${failures === 1 ? 'failure' : 'failures in a row'}`
  return `set aside for ${formatDuration(seconds_left)} after ${times}: ${reason}`
}

/** Without what was true at the moment only. */
function atRest(report: GpuReport): GpuReport {
  const unknown = { usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }
  return { ...report, gpus: report.gpus.map((gpu) => ({ ...gpu, ...unknown, active_jobs: 0, set_aside: null })) }
}
