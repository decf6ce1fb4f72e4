import { expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import type { Api } from '../../src/contract/api.ts'
import { DarkstreamError } from '../../src/contract/error.ts'
import { useClips } from '../support/clips.ts'
import { openMaster, type TestMaster } from '../support/master.ts'
import { temporaryFolder } from '../support/program.ts'
import { openWorker, workUntil } from './open-worker.ts'

const clips = useClips()
/** The clips are such. */
const never = 'profiles: [{name: done, when: {codec: h264}, skip: true}]'

async function addClip(master: TestMaster, name = 'a.mp4') {
  return master.addSource(name, await Bun.file(await clips.path('plain.mp4')).bytes())
}

/** Lets a worker skip one source while the master cannot be told, and ends it. */
async function skipUnheard(master: TestMaster, work_base: string): Promise<string[]> {
  const untold: Api = {
    ...master.remote,
    skip: () => {
      worker.drain()
      return Promise.reject(new DarkstreamError('unreachable', 'away'))
    },
    leave: () => Promise.reject(new Error('a worker with untold results does not leave')),
  }
  const { worker, lines } = openWorker(untold, { work_base, concurrency: 1, drain_patience_ms: 0 })
  await worker.run()
  return lines
}

const outboxOf = (work_base: string) => {
  const folder = join(work_base, 'outbox')
  return existsSync(folder) ? readdirSync(folder) : []
}
const stagedIn = (master: TestMaster) => {
  const folder = join(master.output_base, '.darkstream', 'work')
  return existsSync(folder) ? readdirSync(folder) : []
}

test('a source that a rule excludes is skipped with its reason, and the worker goes on', async () => {
  const master = openMaster({ config: never })
  const job_id = await addClip(master)
  const next = await master.addSource('next.mp4', await Bun.file(await clips.path('sound-only.mp4')).bytes())
  const { worker, lines } = openWorker(master.remote)
  await workUntil(master, worker, 2)
  const { job, attempts } = await master.remote.job({ job_id })
  const reason = job.skip_reason ?? ''
  expect(reason).toStartWith('profile done says skip: h264 at ')
  expect(job).toMatchObject({
    status: 'skipped',
    error_message: null,
    source_facts: { codec: 'h264', width: 320, height: 180, is_hdr: false, duration_seconds: 1, format: 'mov' },
    source_duration: 1,
    profile: 'done',
    ran_on: null,
  })
  expect(attempts).toMatchObject([{ outcome: 'skipped', error_message: reason, worker_id: 'w' }])
  expect((await master.remote.job({ job_id: next })).job.status).toBe('failed')
  expect(existsSync(job.output_path)).toBe(false)
  expect(stagedIn(master)).toEqual([])
  expect(lines.filter((line) => line.includes(`skipped: ${reason}`))).toHaveLength(1)
  expect(lines.some((line) => line.includes('failed: ') && line.includes(job_id))).toBe(false)
})

test('a source whose result would be too large is skipped with the figure, by an encode that is told and left nothing', async () => {
  const master = openMaster({ settings: { preset: 'ultrafast', max_size_ratio: 0.01 } })
  const job_id = await addClip(master)
  const { worker } = openWorker(master.remote)
  await workUntil(master, worker, 1)
  const { job } = await master.remote.job({ job_id })
  expect(job.skip_reason ?? '').toMatch(/times its source .* max_size_ratio is 0.01$/)
  expect(job).toMatchObject({
    status: 'skipped',
    source_facts: { codec: 'h264', width: 320, height: 180 },
    profile: null,
    ran_on: { encoder: 'libx264', fell_back: false },
  })
  expect(existsSync(job.output_path)).toBe(false)
  expect(stagedIn(master)).toEqual([])
})

test('a requeued job is converted once no rule excludes it, and tells no reason any more', async () => {
  const master = openMaster({ config: never })
  const job_id = await addClip(master)
  await workUntil(master, openWorker(master.remote).worker, 1)
  await master.coordinator.stop()
  await master.store.close()
  const other = openMaster({ base: join(master.root_path, '..'), settings: { preset: 'ultrafast' } })
  await other.remote.requeueJob({ job_id })
  await workUntil(other, openWorker(other.remote).worker, 1)
  const { job } = await other.remote.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', attempt: 2, skip_reason: null, source_facts: { codec: 'h264' } })
})

test('a skip waits in the outbox while the master is away and is delivered by the next start', async () => {
  const [master, work_base] = [openMaster({ config: never }), temporaryFolder()]
  const job_id = await addClip(master)
  const lines = await skipUnheard(master, work_base)
  expect(lines.at(-1)).toContain('the report that it is skipped waits in the outbox')
  expect(outboxOf(work_base)).toHaveLength(1)
  expect((await master.api.job({ job_id })).job.status).toBe('processing')
  const second = openWorker(master.remote, { work_base })
  await workUntil(master, second.worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({
    status: 'skipped',
    attempt: 1,
    source_facts: { codec: 'h264' },
  })
  expect(second.lines.some((line) => line.includes('converting'))).toBe(false)
  expect(outboxOf(work_base)).toEqual([])
})

test('a skip whose attempt was lost meanwhile is dropped, and nothing else is touched', async () => {
  const [master, work_base] = [openMaster({ config: never }), temporaryFolder()]
  const job_id = await addClip(master)
  await skipUnheard(master, work_base)
  await master.store.cancel(job_id)
  const { worker, whenSaid } = openWorker(master.remote, { work_base })
  const running = worker.run()
  await whenSaid('dropped: ')
  worker.drain()
  await running
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'cancelled', skip_reason: null })
  expect(outboxOf(work_base)).toEqual([])
})

test('to a master that knows no skips it is a file that is never to be converted', async () => {
  const master = openMaster({ config: never })
  const job_id = await addClip(master)
  const old = createClient('http://master.test', async (url, init) =>
    master.app.request(url.replace('job-skipped', 'job-unheard-of'), init),
  )
  await workUntil(master, openWorker(old).worker, 1)
  const { job } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'failed', error_class: 'permanent', retry_at_ms: null, attempt: 1 })
  expect(job.error_message).toStartWith('skipped: profile done says skip')
})

test('a skip that the master does not understand is told as a failure', async () => {
  const [master, work_base] = [openMaster({ config: never, max_retries: 0 }), temporaryFolder()]
  const job_id = await addClip(master)
  const puzzled: Api = {
    ...master.remote,
    skip: () => Promise.reject(new DarkstreamError('invalid_request', 'reason: what?')),
  }
  await workUntil(master, openWorker(puzzled, { work_base }).worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({
    status: 'failed',
    error_class: 'worker',
    error_message: expect.stringContaining('the master refused the report that it is skipped: reason: what?'),
  })
  expect(outboxOf(work_base)).toEqual([])
})

test('a completed job keeps what its source was found to be', async () => {
  const master = openMaster({ settings: { preset: 'ultrafast' } })
  const job_id = await addClip(master)
  await workUntil(master, openWorker(master.remote).worker, 1)
  const { job } = await master.remote.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', profile: null, score: null, source_facts: { codec: 'h264' } })
  expect(job.source_facts?.bit_rate).toBeCloseTo((8 * (job.source_size ?? 0)) / (job.source_duration ?? 0), 0)
})
