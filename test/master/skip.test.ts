import { expect, test } from 'bun:test'
import { existsSync, readdirSync, renameSync, mkdirSync, rmdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { logJobEvents } from '../../src/master/events.ts'
import { createLog } from '../../src/util/log.ts'
import { caught } from '../pipeline/samples.ts'
import { ranOn } from '../queue/gpu-samples.ts'
import { openMaster, settings, type TestMaster } from '../support/master.ts'

const worker = { worker_id: 'w', boot_id: 'boot' }
const reason = 'the result would have 104% of the size of the source'
const source_facts = {
  codec: 'hevc',
  width: 1920,
  height: 1080,
  is_hdr: false,
  bit_rate: 2_000_000,
  duration_seconds: 60,
  format: 'matroska',
}

async function claimed(master: TestMaster, name = 'a.mkv') {
  const id = await master.addSource(name)
  const job = await master.remote.claim({ ...worker, request_id: crypto.randomUUID() })
  if (job?.id !== id) throw new Error('not the job that was added')
  return { job, skip: { job_id: id, worker_id: 'w', attempt: job.attempt, reason } }
}

const workFolders = ({ output_base }: TestMaster) => readdirSync(join(output_base, '.darkstream', 'work'))

test('a skipped job says why and from what it was decided, and what was staged of it is gone', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  master.stage(job.staging_path, 'half a result')
  const told = { ...skip, source_facts, profile: 'small ones', settings, notes: ['a note'], ran_on: ranOn() }
  expect(await master.remote.skip(told)).toEqual({ status: 'skipped' })
  expect(workFolders(master)).toEqual([])
  expect(existsSync(job.output_path)).toBe(false)
  const shown = await master.remote.job({ job_id: job.id })
  const kept = { source_facts, profile: 'small ones', notes: ['a note'], source_duration: 60, ran_on: ranOn() }
  expect(shown.job).toMatchObject({ status: 'skipped', skip_reason: reason, error_message: null, ...kept })
  expect(shown.attempts).toMatchObject([{ outcome: 'skipped', error_message: reason, worker_id: 'w' }])
  expect((await master.remote.jobs({ status: 'skipped' })).jobs.map(({ id }) => id)).toEqual([job.id])
  expect(await master.remote.status({})).toMatchObject({ skipped: 1, processing: 0, failed: 0 })
})

test('a skip that is sent twice is answered twice, also at once and after a requeue, and counts once', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  const both = await Promise.all([master.remote.skip(skip), master.remote.skip(skip)])
  expect(both).toEqual([{ status: 'skipped' }, { status: 'skipped' }])
  await master.remote.requeueJob({ job_id: job.id })
  expect(await master.remote.skip(skip)).toEqual({ status: 'pending' })
  expect(master.events.filter(({ type }) => type === 'skipped')).toHaveLength(1)
})

test('only the owner of the newest claim may skip it', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  for (const other of [{ worker_id: 'v' }, { attempt: 2 }, { job_id: 'no such job' }]) {
    expect(await caught(master.remote.skip({ ...skip, ...other }))).toMatchObject({ code: 'conflict' })
  }
  await master.api.cancelJob({ job_id: job.id })
  expect(await caught(master.remote.skip(skip))).toMatchObject({ code: 'conflict' })
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({ status: 'cancelled', skip_reason: null })
})

test('a skip needs a reason and an attempt; what else it tells in words of another version is no matter', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  const send = (body: object) =>
    master.app.request('/api/worker/job-skipped', { method: 'POST', body: JSON.stringify(body) })
  for (const missing of ['reason', 'attempt', 'worker_id', 'job_id'] as const) {
    const { [missing]: _, ...rest } = skip
    expect((await send(rest)).status).toBe(400)
  }
  expect((await send({ ...skip, reason: '' })).status).toBe(400)
  const foreign = { source_facts: { codec: 7 }, profile: '', settings: { codec: 'vvc' }, ran_on: 'a GPU', mood: 'good' }
  expect((await send({ ...skip, ...foreign })).status).toBe(200)
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({
    status: 'skipped',
    skip_reason: reason,
    source_facts: null,
    profile: null,
    ran_on: null,
  })
})

test('a source that changed while it was looked at is not skipped but queued again, once it has settled', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  master.stage(job.staging_path, 'half a result')
  const changed = new Date(master.clock.now - 60_000)
  writeFileSync(job.source_path, 'another film')
  utimesSync(job.source_path, changed, changed)
  expect(await master.remote.skip({ ...skip, source_facts })).toEqual({ status: 'pending' })
  expect(workFolders(master)).toEqual([])
  expect(master.events.at(-1)).toMatchObject({ type: 'released', detail: expect.stringMatching(/changed/) })
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({ skip_reason: null, source_facts: null })
  expect(await master.api.claim({ ...worker, request_id: 'soon' })).toBeNull()
  master.clock.now += 10_001
  expect(await master.api.claim({ ...worker, request_id: 'again' })).toMatchObject({ attempt: 2, source_size: 12 })
})

test('what is skipped while the storage is not mounted is queued again', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  const elsewhere = `${master.root_path}-elsewhere`
  renameSync(master.root_path, elsewhere)
  mkdirSync(master.root_path)
  expect(await master.remote.skip(skip)).toEqual({ status: 'pending' })
  expect(master.events.at(-1)).toMatchObject({ type: 'released', detail: expect.stringMatching(/storage mounted/) })
  rmdirSync(master.root_path)
  renameSync(elsewhere, master.root_path)
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({ status: 'pending', skip_reason: null })
})

test('a source that was removed meanwhile is skipped all the same', async () => {
  const master = openMaster()
  const { job, skip } = await claimed(master)
  await master.addSource('b.mkv')
  rmSync(job.source_path)
  expect(await master.remote.skip(skip)).toEqual({ status: 'skipped' })
})

test('skips are in the figures by themselves: they are no completions, and nothing is left of them', async () => {
  const master = openMaster()
  const { skip } = await claimed(master)
  await master.addSource('b.mkv', 'longer video')
  await master.remote.skip(skip)
  const stats = await master.remote.stats({})
  expect(stats).toMatchObject({
    jobs: { skipped: 1, completed: 0, pending: 1, total: 2 },
    bytes: { remaining: 'longer video'.length, completed_source: 0 },
    files_per_hour: null,
    measured_jobs: 0,
    failures: [],
  })
  const metrics = await (await master.app.request('/metrics')).text()
  expect(metrics).toContain('darkstream_jobs{status="skipped"} 1\n')
})

test('a skip is a line of its own in the log, with its reason', async () => {
  const master = openMaster()
  const { skip } = await claimed(master)
  await master.remote.skip(skip)
  const lines: string[] = []
  const write = (line: string) => void lines.push(line)
  const tell = logJobEvents(createLog({ level: 'info', format: 'text', output_path: null, write }))
  master.events.forEach(tell)
  expect(lines.filter((line) => line.includes(`job skipped: ${reason}`))).toHaveLength(1)
  expect(lines.some((line) => line.includes('WARN'))).toBe(false)
})

test('a master that ends the publication of another keeps all that its worker told', async () => {
  const master = openMaster()
  const { job } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  const claim = { job_id: job.id, worker_id: 'w', attempt: job.attempt }
  const told = { notes: ['a note'], source_duration: 60, profile: 'films', source_facts }
  const score = { metric: 'ssim', value: 0.99 } as const
  await master.store.beginPublish(claim, { output_size, ...told, score, settings, ran_on: ranOn() })
  expect(existsSync(dirname(job.staging_path))).toBe(true)
  await master.coordinator.start()
  const shown = await master.remote.job({ job_id: job.id })
  expect(shown.job).toMatchObject({ status: 'completed', output_size, ...told, score, ran_on: ranOn() })
})
