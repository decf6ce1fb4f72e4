import { expect, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { result } from '../queue/cases/world.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

const worker = { worker_id: 'w', boot_id: 'boot' }

async function claimed(master: TestMaster, name = 'a.mkv') {
  const id = await master.addSource(name)
  const job = await master.api.claim({ ...worker, request_id: crypto.randomUUID() })
  if (job?.id !== id) throw new Error('not the job that was added')
  return { job, claim: { job_id: id, worker_id: 'w', attempt: job.attempt } }
}

test('a completed job has its result under its name, with the time of its source, and nothing staged is left', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master, 'sub/a.mkv')
  const output_size = master.stage(job.staging_path, 'result')
  expect(existsSync(job.output_path)).toBe(false)
  expect(await master.api.complete({ ...claim, output_size, source_duration: 2.5, notes: ['a note'] })).toEqual({
    status: 'completed',
  })
  expect(readFileSync(job.output_path, 'utf8')).toBe('result')
  expect(Math.floor(statSync(job.output_path).mtimeMs)).toBe(job.source_mtime_ms ?? 0)
  expect(existsSync(dirname(job.staging_path))).toBe(false)
  const done = await master.api.job({ job_id: job.id })
  expect(done.job).toMatchObject({
    status: 'completed',
    output_size,
    source_duration: 2.5,
    notes: ['a note'],
    worker_id: 'w',
  })
  expect(done.attempts).toMatchObject([{ attempt: 1, outcome: 'completed' }])
})

test('handing in twice, at once or later, is answered twice and done once', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  const both = await Promise.all([
    master.api.complete({ ...claim, output_size }),
    master.remote.complete({ ...claim, output_size }),
  ])
  expect(both).toEqual([{ status: 'completed' }, { status: 'completed' }])
  expect(await master.api.complete({ ...claim, output_size })).toEqual({ status: 'completed' })
  expect(master.events.filter((event) => event.type === 'completed')).toHaveLength(1)
})

test('a worker that slept through its lease can touch nothing: not the job, not the file', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const late = master.stage(job.staging_path, 'late result')
  master.clock.now += 120_001
  await master.store.reap()
  const next = await master.api.claim({ worker_id: 'other', boot_id: 'b', request_id: 'r' })
  expect(next).toMatchObject({ id: job.id, attempt: 2 })
  expect(next?.staging_path).not.toBe(job.staging_path)
  const words = [
    master.api.complete({ ...claim, output_size: late }),
    master.api.fail({ ...claim, error_message: 'late' }),
    master.api.release(claim),
    master.api.reportProgress({
      ...claim,
      progress: { step: 'encode', percent: 1, fps: null, speed: null, eta_seconds: null },
    }),
  ]
  const answers = await Promise.all(
    words.map((word) =>
      word.then(
        () => 'heard',
        (error: { code: string }) => error.code,
      ),
    ),
  )
  expect(answers).toEqual(['conflict', 'conflict', 'conflict', 'conflict'])
  const output_size = master.stage(next?.staging_path ?? '', 'right result')
  await master.api.complete({ job_id: job.id, worker_id: 'other', attempt: 2, output_size })
  expect(readFileSync(job.output_path, 'utf8')).toBe('right result')
})

test('a staged result that is missing or not of the size that was said is not published, and the job is retried', async () => {
  const master = openMaster()
  for (const staged of [undefined, 'short']) {
    const { job, claim } = await claimed(master, `${staged}.mkv`)
    if (staged !== undefined) master.stage(job.staging_path, staged)
    expect(await master.api.complete({ ...claim, output_size: 1000 })).toMatchObject({ status: 'failed' })
    expect(existsSync(job.output_path)).toBe(false)
    const failed = await master.api.job({ job_id: job.id })
    expect(failed.job).toMatchObject({ status: 'failed', retry_count: 0 })
    expect(failed.job.retry_at_ms).toBeGreaterThan(master.clock.now)
    expect(failed.attempts).toMatchObject([{ outcome: 'failed', step: 'publish' }])
  }
})

test('an output folder that cannot be made fails the publication with a sentence', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master, 'sub/a.mkv')
  const output_size = master.stage(job.staging_path, 'result')
  writeFileSync(dirname(job.output_path), 'a file where a folder should be')
  expect(await master.api.complete({ ...claim, output_size })).toMatchObject({
    status: 'failed',
    message: expect.stringMatching(/cannot publish to/),
  })
})

test('the result of a source that changed meanwhile is thrown away and the source queued again, once it has settled', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result of the old one')
  const changed = new Date(master.clock.now - 60_000)
  writeFileSync(job.source_path, 'another film')
  utimesSync(job.source_path, changed, changed)
  expect(await master.api.complete({ ...claim, output_size })).toMatchObject({
    status: 'pending',
    message: expect.stringMatching(/changed/),
  })
  expect(existsSync(job.output_path)).toBe(false)
  expect(readdirSync(join(master.output_base, '.darkstream', 'work'))).toEqual([])
  master.clock.now += 10_001
  expect(await master.api.claim({ ...worker, request_id: 'again' })).toMatchObject({
    id: job.id,
    attempt: 2,
    source_size: 12,
  })
})

test('the result of a source that was removed meanwhile is kept: it was checked while the source was there', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  await master.addSource('b.mkv')
  const output_size = master.stage(job.staging_path, 'result')
  rmSync(job.source_path)
  expect(await master.api.complete({ ...claim, output_size })).toEqual({ status: 'completed' })
  expect(readFileSync(job.output_path, 'utf8')).toBe('result')
})

test('a master that was killed in the middle of a publication ends it at its next start', async () => {
  const cases = [
    { left: 'staged', expected: 'completed' },
    { left: 'renamed', expected: 'completed' },
    { left: 'nothing', expected: 'failed' },
  ]
  for (const { left, expected } of cases) {
    const master = openMaster()
    const { job, claim } = await claimed(master)
    const output_size = master.stage(left === 'renamed' ? job.output_path : join(master.output_base, 'x'), 'result')
    if (left === 'staged') master.stage(job.staging_path, 'result')
    await master.store.beginPublish(claim, { ...result, output_size })
    await master.coordinator.start()
    const after = (await master.api.job({ job_id: job.id })).job
    expect(`${left}: ${after.status}`).toBe(`${left}: ${expected}`)
    expect(existsSync(job.output_path)).toBe(expected === 'completed')
  }
})

test('a master that starts grants running claims a full lease and removes what attempts of the past left staged', async () => {
  const master = openMaster()
  const { job } = await claimed(master)
  master.stage(job.staging_path, 'still being written')
  const stale = join(master.output_base, '.darkstream', 'work', `${job.id}.0`, 'result.mp4')
  master.stage(stale, 'of an earlier attempt')
  master.clock.now += 3_600_000
  await master.coordinator.start()
  await master.coordinator.stop()
  expect(existsSync(job.staging_path)).toBe(true)
  expect(existsSync(stale)).toBe(false)
  expect(await master.store.reap()).toEqual([])
})
