import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { workerOf, type WorkerTableRow } from './rows.ts'
import { statements } from './statements.ts'

/** The workers as their heartbeats told. */
export function workers(db: Connection): Pick<Store, 'heartbeat' | 'markOffline' | 'workers' | 'worker'> {
  return {
    async heartbeat(heartbeat) {
      db.change(statements.heartbeat, {
        id: heartbeat.worker_id,
        hostname: heartbeat.hostname,
        now: db.now(),
        vulkan_available: heartbeat.vulkan_available,
        active_jobs: heartbeat.active_jobs ?? 0,
        gpu_name: heartbeat.gpu,
        cpu_usage: heartbeat.cpu_usage,
        memory_usage: heartbeat.memory_usage,
        gpu_usage: heartbeat.gpu_usage,
        gpu_report: heartbeat.gpu_report && JSON.stringify(heartbeat.gpu_report),
        status: heartbeat.status,
        boot_id: heartbeat.boot_id ?? null,
      })
    },

    async markOffline(worker_id) {
      db.change(statements.markOffline, { worker_id })
    },

    async workers() {
      return db.rows<WorkerTableRow>(statements.workers, {}).map(workerOf)
    },

    async worker(worker_id) {
      const row = db.row<WorkerTableRow>(statements.worker, { worker_id })
      return row && workerOf(row)
    },
  }
}
