import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '../../src/contract/api.ts'
import { DarkstreamError } from '../../src/contract/error.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { useClips } from '../support/clips.ts'
import { openMaster, type TestMaster } from '../support/master.ts'
import { temporaryFolder } from '../support/program.ts'
import { News } from '../support/news.ts'
import { openWorker, workUntil } from './open-worker.ts'

const clips = useClips()
async function addClip(master: TestMaster, name: string, clip: 'plain.mp4' | 'sound-only.mp4' | 'long.mp4') {
  return master.addSource(name, await Bun.file(await clips.path(clip)).bytes())
}

test('a worker converts what it claims, reports what it cannot, and leaves nothing behind', async () => {
  const master = openMaster()
  const good = [await addClip(master, 'a.mp4', 'plain.mp4'), await addClip(master, 'b.mp4', 'plain.mp4')]
  const bad = await addClip(master, 'c.mp4', 'sound-only.mp4')
  const { worker } = openWorker(master.remote)
  await workUntil(master, worker, 3)
  for (const job_id of good) {
    const { job } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'completed', worker_id: 'w', source_duration: expect.closeTo(1, 1) })
    expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  }
  expect((await master.api.job({ job_id: bad })).job).toMatchObject({
    status: 'failed',
    error_class: 'permanent',
    retry_at_ms: null,
  })
  expect(readdirSync(join(master.output_base, '.darkstream', 'work'))).toEqual([])
})

test('a result is handed in however long the master is away', async () => {
  const master = openMaster()
  const id = await addClip(master, 'a.mp4', 'plain.mp4')
  let refusals = 0
  const flaky: Api = {
    ...master.remote,
    complete: async (input, signal) => {
      if (refusals++ < 3) throw new DarkstreamError('unreachable', 'away')
      return master.remote.complete(input, signal)
    },
  }
  const { worker, lines } = openWorker(flaky)
  await workUntil(master, worker, 1)
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'completed', attempt: 1 })
  expect(lines.filter((line) => line.includes('will go on trying'))).toHaveLength(1)
})

test('a worker that is to end does not wait for ever for a master that is gone', async () => {
  const master = openMaster()
  await addClip(master, 'a.mp4', 'plain.mp4')
  const { worker, whenSaid } = openWorker(
    {
      ...master.remote,
      complete: async () => {
        worker.drain()
        throw new DarkstreamError('unreachable', 'gone')
      },
    },
    { drain_patience_ms: 0 },
  )
  await worker.run()
  await whenSaid('the result waits in the outbox and will be delivered at the next start: gone')
})

test('a claim whose answer was lost is asked for again and found, not taken twice', async () => {
  const master = openMaster()
  const id = await addClip(master, 'a.mp4', 'plain.mp4')
  let isLost = false
  const lossy: Api = {
    ...master.remote,
    claim: async (input, signal) => {
      const job = await master.remote.claim(input, signal)
      if (job === null || isLost) return job
      isLost = true
      throw new DarkstreamError('unreachable', 'the answer was lost')
    },
  }
  const { worker } = openWorker(lossy, { concurrency: 1 })
  await workUntil(master, worker, 1)
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'completed', attempt: 1 })
})

test('a job that takes longer than it may is stopped and can be retried', async () => {
  const master = openMaster()
  const id = await addClip(master, 'a.mp4', 'long.mp4')
  const { worker } = openWorker(master.remote, { job_timeout_ms: 50 })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id: id })
  expect(job).toMatchObject({
    status: 'failed',
    error_class: 'retryable',
    error_message: expect.stringContaining('worker.job_timeout'),
  })
  expect(job.retry_at_ms).not.toBeNull()
})

test('a worker told to stop now gives its job back and leaves', async () => {
  const master = openMaster()
  const id = await addClip(master, 'a.mp4', 'long.mp4')
  const { worker } = openWorker({
    ...master.remote,
    // An encode that is still running at its first report.
    claim: async (input, signal) => {
      const job = await master.remote.claim(input, signal)
      return job && { ...job, settings: { ...job.settings, preset: 'veryslow' } }
    },
    reportProgress: async (input) => {
      worker.stop()
      return master.remote.reportProgress(input)
    },
  })
  await worker.run()
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'pending', worker_id: null })
  expect((await master.api.workers({})).workers).toMatchObject([{ status: 'offline' }])
  expect(existsSync(join(master.output_base, 'a.mp4'))).toBe(false)
})

test('nothing is claimed while the storage is not mounted', async () => {
  const master = openMaster()
  await addClip(master, 'a.mp4', 'plain.mp4')
  const mount_path = join(temporaryFolder(), 'mount')
  mkdirSync(mount_path)
  const { worker, whenSaid } = openWorker(master.remote, { mount_path, concurrency: 1 })
  const running = worker.run()
  await whenSaid('is the storage mounted?')
  worker.drain()
  await running
  expect(await master.api.status({})).toMatchObject({ pending: 1 })
})

test('a worker that was replaced stops and says why', async () => {
  const master = openMaster()
  const registered = Promise.withResolvers<void>()
  const { worker } = openWorker({
    ...master.remote,
    register: (input) => master.remote.register(input).finally(registered.resolve),
  })
  const running = worker.run().catch((error: unknown) => error)
  await registered.promise
  await master.api.register({ worker_id: 'w', boot_id: 'another' })
  expect(await running).toMatchObject({ code: 'worker_replaced', message: expect.stringContaining('worker.id') })
})

test('a claim is told of soon, not only at the next regular heartbeat', async () => {
  const master = openMaster()
  await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  const beats: unknown[] = []
  const news = new News()
  const heard: Api = {
    ...master.remote,
    heartbeat: async (input, signal) => {
      beats.push(input.active_jobs)
      news.beat()
      return master.remote.heartbeat(input, signal)
    },
    complete: async (input, signal) => {
      await news.until(() => beats.includes(1))
      return master.remote.complete(input, signal)
    },
  }
  const { worker } = openWorker(heard, { heartbeat_interval_ms: 3_600_000 })
  await workUntil(master, worker, 1)
})

test('a result that somebody takes away is a failure at once, and no lost worker', async () => {
  const master = openMaster()
  const job_id = await addClip(master, 'a.mp4', 'plain.mp4')
  const ffmpeg_path = join(temporaryFolder(), 'ffmpeg')
  writeFileSync(
    ffmpeg_path,
    `#!/bin/sh
ffmpeg "$@"
code=$?
for last; do :; done
case $last in file:*result*) rm -f "\${last#file:}" ;; esac
exit $code
`,
    { mode: 0o755 },
  )
  const tools = await findTools({
    ffmpeg_path: 'ffmpeg',
    environment: process.env,
    signal: AbortSignal.timeout(30_000),
  })
  const { worker } = openWorker(master.remote, { tools: { ...tools, ffmpeg_path } })
  await workUntil(master, worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'failed', error_class: 'retryable' })
  expect(job.error_message).toStartWith('a file of the conversion was taken away: ')
})
