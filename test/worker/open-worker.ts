import type { Api } from '../../src/contract/api.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { createLog } from '../../src/util/log.ts'
import { GpuPool } from '../../src/worker/gpu-pool.ts'
import { Worker, type WorkerOptions } from '../../src/worker/worker.ts'
import type { TestMaster } from '../support/master.ts'
import { News } from '../support/news.ts'
import { temporaryFolder } from '../support/program.ts'

const tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal: AbortSignal.timeout(30_000) })

/** Of a machine without GPUs. */
const noPool = new GpuPool({
  mode: 'off',
  gpus: [],
  problem: null,
  has_gpu: false,
  slots: 1,
  now: () => performance.now(),
  recall: () => Promise.resolve(undefined),
  measure: () => Promise.resolve([]),
  usage: () => ({ usage: null, encoder_usage: null, decoder_usage: null, memory_usage: null }),
  log: createLog({ level: 'error', format: 'text', output_path: null }),
})

/** A worker in this process, on real ffmpeg, and the lines that it logs. */
export function openWorker(api: Api, options: Partial<WorkerOptions> = {}) {
  const lines: string[] = []
  const news = new News()
  const write = (line: string) => {
    lines.push(line)
    news.beat()
  }
  const log = createLog({ level: 'debug', format: 'text', output_path: null, write })
  const worker = new Worker({
    api,
    worker_id: 'w',
    boot_id: crypto.randomUUID(),
    hostname: 'host',
    tools,
    gpus: noPool,
    limits: { encode_timeout_ms: 60_000, probe_timeout_ms: 60_000, stall_timeout_ms: 60_000 },
    job_timeout_ms: 60_000,
    work_base: temporaryFolder(),
    retry_pause_ms: 5,
    drain_patience_ms: 60_000,
    heartbeat_interval_ms: 20,
    mount_path: null,
    min_free: 0,
    master: 'http://master.test',
    concurrency: 2,
    child_environment: process.env,
    log,
    ...options,
  })
  const whenSaid = (words: string) => news.until(() => lines.some((line) => line.includes(words)))
  return { worker, lines, whenSaid }
}

/** Runs a worker until the master has seen so many jobs end. */
export async function workUntil(master: TestMaster, worker: Worker, ended: number): Promise<void> {
  const running = worker.run()
  await master.whenEnded(ended)
  worker.drain()
  await running
}
