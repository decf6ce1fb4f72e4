import type { StatsReport } from '../contract/report.ts'
import { timestamp } from '../util/clock.ts'
import type { Parts } from './parts.ts'
import { viewWorkers } from './worker-views.ts'

/** How far back completions say something about today's speed, and how many are enough to say it. */
const windowMs = 24 * 3_600_000
const windowJobs = 500
/** Paths told of at most; a fleet has a handful. */
const maxPaths = 50

/** The detailed figures, all of them counted or measured. */
export async function statsReport(parts: Parts): Promise<StatsReport> {
  const { store, clock } = parts
  const totals = await store.totals()
  const recent = await store.completions(clock() - windowMs, windowJobs)
  const workers = await viewWorkers(parts)
  const active = workers.filter((worker) => worker.active)
  const { by_status } = totals
  const left = by_status.pending + by_status.processing + totals.awaiting_retry
  return {
    timestamp: timestamp(clock()),
    version: parts.version,
    started_at: parts.started_at,
    jobs: {
      ...by_status,
      total: Object.values(by_status).reduce((sum, count) => sum + count, 0),
      awaiting_retry: totals.awaiting_retry,
    },
    bytes: {
      remaining: totals.remaining_source_bytes,
      completed_source: totals.completed_source_bytes,
      completed_output: totals.completed_output_bytes,
      kept_originals: totals.kept_original_bytes,
    },
    files_per_hour: rate(recent.count, recent.busy_seconds / 3600),
    eta_seconds: left > 0 && active.length === 0 ? null : eta(left, totals.remaining_source_bytes, recent),
    measured_jobs: recent.count,
    median_job_seconds: recent.median_job_seconds,
    workers: {
      active: active.length,
      total: workers.length,
      vulkan: active.filter((worker) => worker.vulkan_available).length,
      active_jobs: active.reduce((sum, worker) => sum + worker.active_jobs, 0),
    },
    paths: await store.paths(maxPaths),
    scan: parts.scanReport(),
    failures: await store.failures(10),
  }
}

/** By bytes where the sizes are known: ten large films take longer than ten clips. Else by files. */
function eta(
  left: number,
  remainingBytes: number,
  recent: { count: number; source_bytes: number; busy_seconds: number },
): number | null {
  if (left === 0) return 0
  const perSecond = rate(recent.source_bytes, recent.busy_seconds)
  if (perSecond !== null && perSecond > 0 && remainingBytes > 0) return remainingBytes / perSecond
  const filesPerSecond = rate(recent.count, recent.busy_seconds)
  return filesPerSecond === null || filesPerSecond === 0 ? null : left / filesPerSecond
}

function rate(amount: number, time: number): number | null {
  return time > 0 ? amount / time : null
}
