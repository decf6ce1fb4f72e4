import { expect } from 'bun:test'
import type { Heartbeat } from '../../../src/contract/worker.ts'
import { gpuReport } from '../gpu-samples.ts'
import type { Check } from './world.ts'

const alice: Heartbeat = {
  worker_id: 'alice',
  hostname: 'rack-1',
  vulkan_available: true,
  active_jobs: 2,
  status: 'busy',
  timestamp: '1999-12-31T23:59:59Z',
  gpu: 'a GPU',
  cpu_usage: 12.5,
  memory_usage: 99.9,
  gpu_usage: 87.5,
  gpu_report: gpuReport(),
  boot_id: 'boot-1',
}
const bare: Heartbeat = {
  worker_id: 'bare',
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
const told = {
  hostname: 'rack-1',
  vulkan_available: true,
  active_jobs: 2,
  gpu_name: 'a GPU',
  cpu_usage: 12.5,
  memory_usage: 99.9,
  gpu_usage: 87.5,
  gpu_report: gpuReport(),
  status: 'busy',
} as const

/** What is known of workers. */
export function workerCases(check: Check): void {
  check('a worker that was never heard from is unknown', async ({ store }) => {
    expect(await store.workers()).toEqual([])
    expect(await store.worker('alice')).toBeUndefined()
  })

  check('a heartbeat tells all of a worker, at the time of our clock', async (world) => {
    await world.store.heartbeat(alice)
    const row = { id: 'alice', ...told, last_heartbeat: world.now, boot_id: 'boot-1' }
    expect(await world.store.worker('alice')).toEqual(row)
    await world.reopen()
    expect(await world.store.workers()).toEqual([row])
  })

  check('a newer heartbeat replaces what the older one told', async (world) => {
    await world.store.heartbeat(alice)
    world.advance(30_000)
    await world.store.heartbeat({ ...bare, worker_id: 'alice', boot_id: 'boot-2' })
    expect(await world.store.workers()).toEqual([
      {
        id: 'alice',
        hostname: '',
        vulkan_available: false,
        active_jobs: 0,
        gpu_name: '',
        cpu_usage: 0,
        memory_usage: 0,
        gpu_usage: null,
        gpu_report: null,
        status: 'healthy',
        last_heartbeat: world.now,
        boot_id: 'boot-2',
      },
    ])
  })

  check('a heartbeat that names no process leaves the known one as it is', async ({ store }) => {
    await store.heartbeat(bare)
    expect((await store.worker('bare'))?.boot_id).toBeNull()
    await store.heartbeat(alice)
    await store.heartbeat({ ...bare, worker_id: 'alice' })
    expect((await store.worker('alice'))?.boot_id).toBe('boot-1')
  })

  check('workers are listed by id', async ({ store }) => {
    for (const worker_id of ['c', 'a', 'b']) await store.heartbeat({ ...bare, worker_id })
    expect((await store.workers()).map((worker) => worker.id)).toEqual(['a', 'b', 'c'])
  })

  check('a worker that says that it stops is kept, without a heartbeat and without jobs', async (world) => {
    await world.store.heartbeat(alice)
    await world.store.heartbeat(bare)
    await world.store.markOffline('alice')
    expect(await world.store.worker('alice')).toMatchObject({ ...told, last_heartbeat: null, active_jobs: 0 })
    expect(await world.store.worker('bare')).toMatchObject({ last_heartbeat: world.now })
    await world.store.heartbeat(alice)
    expect(await world.store.worker('alice')).toMatchObject({ last_heartbeat: world.now, active_jobs: 2 })
  })

  check('marking an unknown worker as offline makes none up', async ({ store }) => {
    await store.markOffline('nobody')
    expect(await store.workers()).toEqual([])
  })
}
