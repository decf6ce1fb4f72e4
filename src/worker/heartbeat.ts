import type { Assignment } from '../contract/job.ts'
import type { Heartbeat } from '../contract/worker.ts'
import type { GpuPool } from './gpu-pool.ts'
import type { Outbox } from './outbox.ts'

/** What a heartbeat is made of, but for the machine's load. */
export interface HeartbeatParts {
  worker_id: string
  boot_id: string
  hostname: string
  /** Encodes at a time. */
  concurrency: number
  gpus: GpuPool
  /** As `heldClaims` gives them. */
  claims: { job_id: string; attempt: number }[]
  /** Why nothing is claimed at the moment. */
  obstacle: string | undefined
}

/** What a worker says of itself. */
export function heartbeatOf({ worker_id, boot_id, hostname, concurrency, gpus, claims, obstacle }: HeartbeatParts) {
  const status: Heartbeat['status'] = claims.length === 0 ? 'idle' : claims.length < concurrency ? 'healthy' : 'busy'
  return {
    worker_id,
    hostname,
    boot_id,
    ...gpus.summary(),
    gpu_report: gpus.report(),
    active_jobs: claims.length,
    status,
    timestamp: new Date().toISOString(),
    claims,
    obstacle,
  }
}

/** The claims that a worker holds: what it works on, and what the master has not heard the end of. Each once. */
export function heldClaims(running: Iterable<Assignment>, outbox: Outbox): HeartbeatParts['claims'] {
  const working = [...running].map((job) => ({ job_id: job.id, attempt: job.attempt }))
  const ended = outbox.claims.filter(
    ({ job_id, attempt }) => !working.some((claim) => claim.job_id === job_id && claim.attempt === attempt),
  )
  return [...working, ...ended]
}
