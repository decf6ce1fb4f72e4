import { expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { openMaster, type TestMaster } from '../support/master.ts'

/** What a program written against the original document sends, and nothing else. */
function original({ app }: TestMaster) {
  const post = (path: string, body: unknown) =>
    app.request(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
  return {
    nextJob: (worker_id: string) => app.request(`/api/worker/next-job?worker_id=${worker_id}&gpu_available=true`),
    complete: (job_id: string, worker_id: string, output_size: number) =>
      post('/api/worker/job-complete', { job_id, worker_id, output_size }),
    fail: (job_id: string, worker_id: string, error_message: string) =>
      post('/api/worker/job-failed', { job_id, worker_id, error_message }),
    heartbeat: (worker_id: string) =>
      post('/api/worker/heartbeat', {
        worker_id,
        hostname: 'compute-1',
        vulkan_available: true,
        active_jobs: 2,
        status: 'healthy',
        timestamp: '2025-11-07T20:56:59Z',
        gpu: 'NVIDIA GeForce RTX 3080',
        cpu_usage: 45.2,
        memory_usage: 62.1,
      }),
    get: async (path: string) => (await app.request(path)).json(),
  }
}

test('gets a job with the original fields, writes the output itself, and completes it', async () => {
  const master = openMaster()
  const client = original(master)
  await master.addSource('a.mkv')
  const answer = await client.nextJob('worker-1')
  expect(answer.status).toBe(200)
  const job = (await answer.json()) as Record<string, unknown>
  expect(job).toMatchObject({
    status: 'processing',
    worker_id: 'worker-1',
    retry_count: 0,
    max_retries: 3,
    completed_at: null,
  })
  expect(String(job['started_at'])).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
  const output = String(job['output_path'])
  mkdirSync(dirname(output), { recursive: true })
  writeFileSync(output, 'result')
  expect((await client.complete(String(job['id']), 'worker-1', 6)).status).toBe(200)
  expect(await client.get('/api/status')).toEqual({
    pending: 0,
    processing: 0,
    completed: 1,
    failed: 0,
    cancelled: 0,
    skipped: 0,
  })
  expect((await client.nextJob('worker-1')).status).toBe(204)
})

test('is refused with 409 what is not its own, and nothing changes', async () => {
  const master = openMaster()
  const client = original(master)
  const id = await master.addSource('a.mkv')
  const refusals = [
    await client.complete(id, 'worker-1', 1),
    (await client.nextJob('worker-1'), await client.complete(id, 'worker-2', 1)),
    await client.fail(id, 'worker-2', 'no'),
    await client.complete('nothing', 'worker-1', 1),
  ]
  expect(refusals.map((answer) => answer.status)).toEqual([409, 409, 409, 409])
  expect(await client.get('/api/status')).toMatchObject({ processing: 1, completed: 0, failed: 0 })
  expect((await client.complete(id, 'worker-1', 1)).status).toBe(200)
  expect((await client.complete(id, 'worker-1', 1)).status).toBe(409)
  expect((await client.fail(id, 'worker-1', 'late')).status).toBe(409)
  expect(await client.get('/api/status')).toMatchObject({ completed: 1, failed: 0 })
})

test('reports a failure that is retried while retries are left, by the time of the master', async () => {
  const master = openMaster({ max_retries: 1 })
  await master.coordinator.start()
  const client = original(master)
  const id = await master.addSource('a.mkv')
  await client.nextJob('worker-1')
  expect((await client.fail(id, 'worker-1', 'ffmpeg: codec not found')).status).toBe(200)
  expect(await client.get('/api/status')).toMatchObject({ failed: 1, pending: 0 })
  master.clock.now += 60_000
  await master.store.retryDue()
  const again = (await (await client.nextJob('worker-1')).json()) as Record<string, unknown>
  expect(again).toMatchObject({ id, retry_count: 1, attempt: 2 })
  await client.fail(id, 'worker-1', 'ffmpeg: codec not found')
  master.clock.now += 3_600_000
  expect(await master.store.retryDue()).toBe(0)
  expect(await client.get(`/api/job?job_id=${id}`)).toMatchObject({
    job: { status: 'failed', error_message: 'ffmpeg: codec not found', retry_count: 1, retry_at_ms: null },
  })
})

test('keeps its jobs by heartbeats alone, and loses them after two minutes without', async () => {
  const master = openMaster()
  const client = original(master)
  const id = await master.addSource('a.mkv')
  await client.nextJob('worker-1')
  master.clock.now += 100_000
  expect((await client.heartbeat('worker-1')).status).toBe(200)
  master.clock.now += 100_000
  expect(await master.store.reap()).toEqual([])
  expect(await client.get('/api/workers')).toMatchObject({
    count: 1,
    workers: [{ id: 'worker-1', active: true, vulkan_available: true, gpu_name: 'NVIDIA GeForce RTX 3080' }],
    stats: { total_workers: 1, vulkan_workers: 1, average_active_jobs: 2, average_cpu_usage: 45.2 },
  })
  master.clock.now += 30_000
  expect((await master.store.reap()).map((job) => job.id)).toEqual([id])
  master.clock.now += 100_000
  expect(await client.get('/api/workers?active_only=true')).toMatchObject({ count: 0 })
  expect((await client.complete(id, 'worker-1', 1)).status).toBe(409)
})

test("the original's admin tools find their calls", async () => {
  const master = openMaster()
  const client = original(master)
  const id = await master.addSource('a.mkv')
  const post = async (path: string, body?: unknown) => {
    const answer = await master.app.request(path, {
      method: 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
  }
  expect(await post(`/api/job/priority?job_id=${id}&priority=9`)).toMatchObject({ status: 200 })
  expect(await post('/api/job/priority', { job_id: id, priority: 10 })).toMatchObject({ status: 200 })
  expect(await post('/api/job/priority', { job_id: id, priority: 11 })).toMatchObject({ status: 400 })
  expect(await post(`/api/job/cancel?job_id=${id}`)).toMatchObject({ status: 200 })
  expect(await post(`/api/job/cancel?job_id=${id}`)).toMatchObject({ status: 409, body: { code: 'conflict' } })
  expect(await post(`/api/job/retry?job_id=${id}`)).toMatchObject({ status: 200 })
  await client.nextJob('w')
  await client.complete(id, 'w', 1)
  expect(await post(`/api/job/requeue?job_id=${id}`)).toMatchObject({ status: 200 })
  expect(await post('/api/job/requeue?job_id=nothing')).toMatchObject({ status: 404, body: { code: 'not_found' } })
  expect(await post('/api/retry?limit=10')).toMatchObject({ status: 200, body: { retried: 0 } })
  expect(await client.get('/api/jobs?status=pending&limit=5')).toMatchObject({ count: 1, jobs: [{ id, priority: 10 }] })
  expect(await client.get('/healthz')).toMatchObject({ status: 'ok' })
  expect(await client.get('/readyz')).toMatchObject({ status: 'ready' })
  expect(await client.get('/api/health')).toMatchObject({ status: 'ok' })
  expect(Object.keys((await client.get('/api/stats')) as object)).toContain('timestamp')
  expect(await (await master.app.request('/metrics')).text()).toContain('darkstream_jobs{status="pending"} 1')
})
