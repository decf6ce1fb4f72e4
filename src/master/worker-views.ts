import type { WorkerView } from '../contract/worker.ts'
import type { Parts } from './parts.ts'

/** The workers as the master sees them now: one that was silent for too long is offline and does nothing. */
export async function viewWorkers(parts: Pick<Parts, 'store' | 'clock' | 'worker_timeout_ms'>): Promise<WorkerView[]> {
  const workers = await parts.store.workers()
  return workers.map(({ boot_id: _, status, ...worker }) => {
    const age =
      worker.last_heartbeat === null ? Number.POSITIVE_INFINITY : parts.clock() - Date.parse(worker.last_heartbeat)
    const active = age < parts.worker_timeout_ms
    return { ...worker, active, status: active ? status : 'offline', active_jobs: active ? worker.active_jobs : 0 }
  })
}
