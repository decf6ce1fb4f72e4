import type { Heartbeat } from '../../contract/worker.ts'
import { timestamp } from '../../util/clock.ts'
import type { Store, WorkerRow } from '../store.ts'
import type { Connection } from './connection.ts'
import { workerOf, type WorkerTableRow } from './rows.ts'
import { statements } from './statements.ts'

/** The workers as their heartbeats told. */
export function workers(db: Connection): Pick<Store, 'heartbeat' | 'register' | 'markOffline' | 'workers' | 'worker'> {
  return {
    async heartbeat(heartbeat) {
      note(heartbeat)
    },

    async register(heartbeat, heard_since_ms) {
      return db.atomically(() => {
        const known = find(heartbeat.worker_id)
        const is_refused = known !== undefined && isElsewhere(known, heartbeat, timestamp(heard_since_ms))
        if (!is_refused) note(heartbeat)
        return { known, is_refused }
      })
    },

    async markOffline(worker_id) {
      db.change(statements.markOffline, { worker_id })
    },

    async workers() {
      return db.rows<WorkerTableRow>(statements.workers, {}).map(workerOf)
    },

    async worker(worker_id) {
      return find(worker_id)
    },
  }

  function find(worker_id: string): WorkerRow | undefined {
    const row = db.row<WorkerTableRow>(statements.worker, { worker_id })
    return row && workerOf(row)
  }

  function note(heartbeat: Heartbeat): void {
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
  }
}

/** Whether a worker of that id lives on another host. One that does not say where it is may be anywhere, also here. */
function isElsewhere(known: WorkerRow, { hostname, boot_id }: Heartbeat, heard_since: string): boolean {
  const isAnother = known.hostname !== '' && hostname !== '' && known.hostname !== hostname
  return isAnother && known.boot_id !== boot_id && (known.last_heartbeat ?? '') > heard_since
}
