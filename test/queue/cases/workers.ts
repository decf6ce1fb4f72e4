import { expect } from 'bun:test'
import type { Heartbeat } from '../../../src/contract/worker.ts'
import { gpuReport } from '../gpu-samples.ts'
import { heartbeat } from './heard.ts'
import { type Check, lease_ms, there, type World } from './world.ts'

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
const bare = heartbeat('bare')
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

  registerCases(check)

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

/** Workers that were heard from later are there. */
function since({ now_ms }: World): number {
  return now_ms - lease_ms
}

function registerCases(check: Check): void {
  const elsewhere = { ...alice, hostname: 'rack-2', boot_id: 'boot-2' }

  check('the first process of a worker is known from then on', async (world) => {
    expect(await world.store.register(alice, since(world))).toEqual({ known: undefined, is_refused: false })
    expect(await world.store.worker('alice')).toMatchObject({ ...told, boot_id: 'boot-1', last_heartbeat: world.now })
  })

  check(
    'a process on another host is refused while the known one was heard from, and changes nothing',
    async (world) => {
      await world.store.register(alice, since(world))
      const known = await world.store.worker('alice')
      world.advance(lease_ms - 1)
      expect(await world.store.register(elsewhere, since(world))).toEqual({ known, is_refused: true })
      expect(await world.store.worker('alice')).toEqual(there(known))
      world.advance(1)
      expect(await world.store.register(elsewhere, since(world))).toMatchObject({ is_refused: false })
      expect(await world.store.worker('alice')).toMatchObject({ hostname: 'rack-2', boot_id: 'boot-2' })
    },
  )

  check('it is taken at once when the known one has left', async (world) => {
    await world.store.register(alice, since(world))
    await world.store.markOffline('alice')
    expect(await world.store.register(elsewhere, since(world))).toMatchObject({ is_refused: false })
  })

  const welcome = {
    'on the same host': { ...alice, boot_id: 'boot-2' },
    'that does not say where it is': { ...elsewhere, hostname: '' },
    'that is known, and whose host has another name now': { ...elsewhere, boot_id: 'boot-1' },
  }
  for (const [what, heartbeat] of Object.entries(welcome)) {
    check(`a process ${what} is taken for the worker`, async (world) => {
      await world.store.register(alice, since(world))
      expect(await world.store.register(heartbeat, since(world))).toMatchObject({
        known: { boot_id: 'boot-1' },
        is_refused: false,
      })
      expect(await world.store.worker('alice')).toMatchObject({ boot_id: heartbeat.boot_id })
    })
  }
}
