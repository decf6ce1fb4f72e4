import type { GpuReport } from '../contract/gpu.ts'
import type { WorkerView } from '../contract/worker.ts'
import type { Parts } from './parts.ts'

/**
 * The workers as the master sees them now: one that was silent for too long is offline and does nothing. What it said of
 * the moment, its GPUs' use above all, is not told any more; what its GPUs can do is.
 */
export async function viewWorkers(parts: Pick<Parts, 'store' | 'clock' | 'worker_timeout_ms'>): Promise<WorkerView[]> {
  const workers = await parts.store.workers()
  return workers.map(({ boot_id: _, status, ...worker }) => {
    const age =
      worker.last_heartbeat === null ? Number.POSITIVE_INFINITY : parts.clock() - Date.parse(worker.last_heartbeat)
    if (age < parts.worker_timeout_ms) return { ...worker, active: true, status }
    const gpu_report = worker.gpu_report && atRest(worker.gpu_report)
    return { ...worker, active: false, status: 'offline', active_jobs: 0, gpu_usage: null, gpu_report }
  })
}

/** Without what was true at the moment only. */
function atRest(report: GpuReport): GpuReport {
  const unknown = { usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }
  return { ...report, gpus: report.gpus.map((gpu) => ({ ...gpu, ...unknown, active_jobs: 0, set_aside: null })) }
}
