import type { Reply } from '../../src/contract/routes.ts'
import type { WorkerView } from '../../src/contract/worker.ts'

type Stats = Reply<'stats'>

/** The figures of a master that has measured a little; what matters to a test is given. */
export function statsReport(changes: Partial<Stats> = {}): Stats {
  return {
    timestamp: '2026-03-01T12:00:00.000Z',
    version: '0.1.0',
    started_at: '2026-03-01T11:00:00.000Z',
    jobs: { pending: 0, processing: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0, total: 0, awaiting_retry: 0 },
    bytes: { remaining: 0, completed_source: 0, completed_output: 0, kept_originals: 0 },
    files_per_hour: 100,
    eta_seconds: 0,
    measured_jobs: 10,
    median_job_seconds: 36,
    workers: { active: 0, total: 0, vulkan: 0, active_jobs: 0 },
    paths: [],
    scan: { running: false, last_completed_at: null, files_seen: 0, settling: 0, problems: [] },
    failures: [],
    ...changes,
  }
}

/** Three completions on a GPU alone. */
export function path(changes: Partial<Stats['paths'][number]> = {}): Stats['paths'][number] {
  return {
    decode: 'vulkan',
    filter: 'vulkan',
    encoder: 'h264_vulkan',
    device: 'a GPU',
    jobs: 3,
    fell_back: 0,
    last_reason: null,
    ...changes,
  }
}

/** A worker that has nothing to do and tells nothing of GPUs. */
export function workerView(changes: Partial<WorkerView> = {}): WorkerView {
  return {
    id: 'worker-1',
    hostname: 'rack-1',
    last_heartbeat: '2026-03-01T11:59:55.000Z',
    vulkan_available: false,
    active_jobs: 0,
    gpu_name: '',
    cpu_usage: 0,
    memory_usage: 0,
    gpu_usage: null,
    gpu_report: null,
    active: true,
    status: 'idle',
    ...changes,
  }
}

export function workersReply(workers: WorkerView[]): Reply<'workers'> {
  const stats = {
    total_workers: workers.length,
    vulkan_workers: 0,
    average_active_jobs: 0,
    average_cpu_usage: 0,
    average_memory_usage: 0,
  }
  return { workers, count: workers.length, stats }
}
