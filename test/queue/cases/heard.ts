import type { Heartbeat } from '../../../src/contract/worker.ts'
import type { World } from './world.ts'

/** Lets workers be heard from now. */
export async function heard({ store }: World, ...worker_ids: string[]): Promise<void> {
  for (const worker_id of worker_ids) await store.heartbeat(heartbeat(worker_id))
}

/** A worker's word that it is there, and nothing else. */
export function heartbeat(worker_id: string): Heartbeat {
  return {
    worker_id,
    hostname: '',
    vulkan_available: false,
    active_jobs: 0,
    status: 'healthy',
    gpu: '',
    cpu_usage: 0,
    memory_usage: 0,
    gpu_usage: null,
    gpu_report: null,
  }
}
