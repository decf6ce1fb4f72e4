import { expect, test } from 'bun:test'
import { existsSync } from 'node:fs'
import type { FailureReport } from '../../src/contract/failure.ts'
import type { DarkstreamError } from '../../src/contract/error.ts'
import { retryAt } from '../../src/master/retry-policy.ts'
import { openMaster } from '../support/master.ts'

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'fine',
    (error: DarkstreamError) => error.code,
  )

test('a worker that registers anew gives back what its earlier process held; the same process registering twice does not', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.api.register({ worker_id: 'w', boot_id: 'one' })
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'one', request_id: 'r' })
  master.stage(job?.staging_path ?? '', 'half a result')
  expect(await master.api.register({ worker_id: 'w', boot_id: 'one' })).toMatchObject({ released: 0 })
  expect(await master.api.register({ worker_id: 'w', boot_id: 'two' })).toMatchObject({
    released: 1,
    lease_ms: 120_000,
  })
  expect((await master.api.job({ job_id: id })).job).toMatchObject({
    status: 'pending',
    worker_id: null,
    retry_count: 0,
  })
  expect(existsSync(job?.staging_path ?? '')).toBe(false)
})

test('the earlier of two processes with one id is told so at its next word', async () => {
  const master = openMaster()
  await master.api.register({ worker_id: 'w', boot_id: 'one' })
  await master.api.register({ worker_id: 'w', boot_id: 'two' })
  expect(await codeOf(master.api.heartbeat({ worker_id: 'w', boot_id: 'one' }))).toBe('worker_replaced')
  expect(await codeOf(master.api.claim({ worker_id: 'w', boot_id: 'one', request_id: 'r' }))).toBe('worker_replaced')
  expect(await codeOf(master.api.leave({ worker_id: 'w', boot_id: 'one' }))).toBe('worker_replaced')
  expect(await codeOf(master.api.heartbeat({ worker_id: 'w', boot_id: 'two' }))).toBe('fine')
})

test('a heartbeat renews the claims that it names and no others', async () => {
  const master = openMaster()
  const [named, forgotten] = [await master.addSource('a.mkv'), await master.addSource('b.mkv')]
  await master.api.register({ worker_id: 'w', boot_id: 'b' })
  for (const request_id of ['1', '2']) await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id })
  master.clock.now += 119_000
  await master.api.heartbeat({ worker_id: 'w', boot_id: 'b', claims: [{ job_id: named, attempt: 1 }] })
  master.clock.now += 2000
  expect((await master.store.reap()).map((job) => job.id)).toEqual([forgotten])
})

test('a worker that leaves is offline at once and its jobs are free', async () => {
  const master = openMaster()
  await master.addSource('a.mkv')
  await master.api.register({ worker_id: 'w', boot_id: 'b' })
  await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  expect(await master.api.leave({ worker_id: 'w', boot_id: 'b' })).toEqual({ released: 1 })
  expect(await master.api.workers({})).toMatchObject({
    workers: [{ id: 'w', active: false, status: 'offline', active_jobs: 0 }],
  })
  expect(await master.api.status({})).toMatchObject({ pending: 1, processing: 0 })
})

test('progress is shown while the attempt runs, and what has no owner any more is told so', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  const runs_on = { decode: 'vulkan', filter: 'vulkan', encoder: 'h264_vulkan', device: 'a GPU' } as const
  const progress = { step: 'encode', percent: 42, fps: 25, speed: 1.5, eta_seconds: 3, runs_on } as const
  const claim = { job_id: id, worker_id: 'w', attempt: 1 }
  await master.api.reportProgress({ ...claim, progress })
  expect((await master.api.jobs({ status: 'processing' })).jobs[0]?.progress).toEqual(progress)
  await master.api.cancelJob({ job_id: id })
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'cancelled', progress: null })
  expect(await codeOf(master.api.reportProgress({ ...claim, progress }))).toBe('conflict')
  expect(await codeOf(master.api.reportProgress({ ...claim, attempt: 7, progress }))).toBe('conflict')
})

test('a failure keeps its command and log; a permanent one is final at once', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  const report: FailureReport = {
    class: 'permanent',
    step: 'probe',
    command: ['ffprobe', 'file:in'],
    stderr_tail: 'Invalid data',
    exit_code: 1,
  }
  const claim = { job_id: id, worker_id: 'w', attempt: 1 }
  expect(await master.remote.fail({ ...claim, error_message: 'not a video', report })).toEqual({ status: 'failed' })
  expect(await master.remote.fail({ ...claim, error_message: 'not a video', report })).toEqual({ status: 'failed' })
  const { job, attempts } = await master.remote.job({ job_id: id })
  expect(job).toMatchObject({
    status: 'failed',
    error_message: 'not a video',
    error_class: 'permanent',
    retry_at_ms: null,
  })
  expect(attempts).toMatchObject([
    { outcome: 'failed', command: ['ffprobe', 'file:in'], stderr_tail: 'Invalid data', exit_code: 1, step: 'probe' },
  ])
  master.clock.now += 86_400_000
  expect(await master.store.retryDue()).toBe(0)
})

test('pauses between retries double, stay under their limit, and are spread', () => {
  const policy = { retry_delay_ms: 1000, max_retry_delay_ms: 5000 }
  const at = (retry_count: number, random: number) =>
    retryAt({ retry_count, max_retries: 10 }, 'retryable', policy, 0, () => random)
  expect([0, 1, 2, 3, 9].map((count) => at(count, 0.5))).toEqual([1000, 2000, 4000, 5000, 5000])
  expect([at(0, 0), at(0, 1)]).toEqual([750, 1250])
  expect(retryAt({ retry_count: 10, max_retries: 10 }, 'retryable', policy, 0)).toBeNull()
  expect(retryAt({ retry_count: 0, max_retries: 10 }, 'permanent', policy, 0)).toBeNull()
  expect(retryAt({ retry_count: 0, max_retries: 0 }, 'worker', policy, 0)).toBeNull()
})

test('figures are null until something was measured, and then follow from it', async () => {
  const master = openMaster()
  for (const name of ['a.mkv', 'b.mkv', 'c.mkv']) await master.addSource(name, 'ten bytes!')
  expect(await master.api.stats({})).toMatchObject({
    files_per_hour: null,
    eta_seconds: null,
    median_job_seconds: null,
  })
  const job = await master.api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  master.clock.now += 36_000
  const output_size = master.stage(job?.staging_path ?? '', 'small')
  await master.api.complete({ job_id: job?.id ?? '', worker_id: 'w', attempt: 1, output_size })
  master.clock.now += 7_200_000
  expect(await master.api.stats({})).toMatchObject({ files_per_hour: 100, eta_seconds: null })
  await master.api.heartbeat({ worker_id: 'w' })
  expect(await master.api.stats({})).toMatchObject({
    jobs: { total: 3, completed: 1, pending: 2 },
    bytes: { remaining: 20, completed_source: 10, completed_output: 5 },
    files_per_hour: 100,
    eta_seconds: 72,
    median_job_seconds: 36,
    measured_jobs: 1,
  })
})

test('why a worker takes no jobs is told as long as it says so and is there', async () => {
  const master = openMaster()
  const obstacle = async () => (await master.remote.workers({})).workers[0]?.obstacle
  await master.remote.register({ worker_id: 'w', boot_id: 'b', obstacle: 'its disk is full' })
  expect(await obstacle()).toBe('its disk is full')
  await master.remote.heartbeat({ worker_id: 'w', boot_id: 'b' })
  expect(await obstacle()).toBeNull()
  await master.remote.heartbeat({ worker_id: 'w', boot_id: 'b', obstacle: 'its disk is full' })
  master.clock.now += 600_000
  expect(await obstacle()).toBeUndefined()
})
