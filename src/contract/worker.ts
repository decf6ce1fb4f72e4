import * as v from 'valibot'
import { Integer, JobId, Name, Percent, Text } from './fields.ts'
import { GpuReport } from './gpu.ts'

export const workerStatuses = ['healthy', 'busy', 'idle'] as const

/** What a worker says of itself at every heartbeat; all but the id may be missing in what a foreign worker sends. */
export const Heartbeat = v.object({
  worker_id: Name(),
  hostname: v.nullish(Text(255), ''),
  vulkan_available: v.nullish(v.boolean('must be true or false'), false),
  active_jobs: v.optional(Integer(0)),
  status: v.nullish(v.picklist(workerStatuses, `must be one of ${workerStatuses.join(', ')}`), 'healthy'),
  /** The worker's own clock; shown to nobody and trusted for nothing. */
  timestamp: v.nullish(v.string()),
  /** The GPU's name; empty when it has none. */
  gpu: v.nullish(Text(255), ''),
  cpu_usage: v.nullish(Percent, 0),
  memory_usage: v.nullish(Percent, 0),
  /** Percent of the time in which the busiest of its GPUs was busy; null where none tells. */
  gpu_usage: v.nullish(Percent, null),
  /** Its GPUs in full; foreign workers send none, and what a worker of another version sends may be no use to us. */
  gpu_report: v.fallback(v.nullish(GpuReport, null), null),
  /** The process: a new one each time the worker starts. Foreign workers send none. */
  boot_id: v.optional(Name(64)),
  /** The claims that the worker holds; their leases are renewed. Without it, all that are in its name are. */
  claims: v.optional(v.pipe(v.array(v.object({ job_id: JobId, attempt: v.number() })), v.maxLength(1000))),
  /** Why it takes no jobs at the moment, a clause; missing while it does. */
  obstacle: v.optional(Text(1000)),
})
export type Heartbeat = v.InferOutput<typeof Heartbeat>

/** Why a worker is given no jobs for a while: it failed at everything. */
export const SetAside = v.object({
  /** Until it is given jobs again. */
  seconds_left: v.number(),
  /** In a row, each of another job. */
  failures: v.number(),
  /** The newest one's, a sentence. */
  reason: v.string(),
})
export type SetAside = v.InferOutput<typeof SetAside>

/** A worker as the master knows it. */
export const WorkerView = v.object({
  id: v.string(),
  hostname: v.string(),
  /** RFC 3339 UTC by the master's clock; null when it never came. */
  last_heartbeat: v.nullable(v.string()),
  vulkan_available: v.boolean(),
  active_jobs: v.number(),
  gpu_name: v.string(),
  cpu_usage: v.number(),
  memory_usage: v.number(),
  /** Percent of the time in which the busiest of its GPUs was busy; null where none tells. */
  gpu_usage: v.optional(v.nullable(v.number()), null),
  /** Null for a worker that does not tell. */
  gpu_report: v.optional(v.nullable(GpuReport), null),
  /** Whether the last heartbeat is younger than the master's worker_timeout. */
  active: v.boolean(),
  status: v.picklist([...workerStatuses, 'offline']),
  /** Null or missing for a worker that is given jobs. */
  set_aside: v.optional(v.nullable(SetAside)),
  /** Why it takes no jobs at the moment, a clause; null or missing while it does. */
  obstacle: v.optional(v.nullable(v.string())),
})
export type WorkerView = v.InferOutput<typeof WorkerView>
