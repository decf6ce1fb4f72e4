import { expect, test } from 'bun:test'
import { existsSync, linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { result } from '../queue/cases/world.ts'
import { openMaster, type TestMaster } from '../support/master.ts'

const asker = { worker_id: 'w', boot_id: 'boot' }

async function claimed(master: TestMaster, name = 'a.mkv') {
  const id = await master.addSource(name)
  const job = await master.api.claim({ ...asker, request_id: crypto.randomUUID() })
  if (job?.id !== id) throw new Error('not the job that was added')
  return { job, claim: { job_id: id, worker_id: 'w', attempt: job.attempt } }
}

test('a foreign file that appears while a job is converted is not replaced', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.staging_path, 'result')
  writeFileSync(job.output_path, 'mine')
  expect(await master.api.complete({ ...claim, output_size })).toMatchObject({ status: 'failed' })
  expect(readFileSync(job.output_path, 'utf8')).toBe('mine')
})

test('a result of ours is replaced by a newer one, a file that somebody put in its place is not', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  await master.api.complete({ ...claim, output_size: master.stage(job.staging_path, 'first') })
  await master.api.requeueJob({ job_id: job.id })
  const again = await master.api.claim({ ...asker, request_id: 'again' })
  const output_size = master.stage(again?.staging_path ?? '', 'second result')
  await master.api.complete({ ...claim, attempt: again?.attempt, output_size })
  expect(readFileSync(job.output_path, 'utf8')).toBe('second result')
  writeFileSync(job.output_path, 'edited by hand')
  await master.api.requeueJob({ job_id: job.id })
  expect(await master.api.claim({ ...asker, request_id: 'third' })).toBeNull()
  expect(readFileSync(job.output_path, 'utf8')).toBe('edited by hand')
})

test('a foreign worker is given no job whose output path holds a foreign file', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const { output_path } = (await master.api.job({ job_id: id })).job
  mkdirSync(dirname(output_path), { recursive: true })
  writeFileSync(output_path, 'mine')
  expect(await master.api.nextJob({ worker_id: 'foreign' })).toBeNull()
  expect((await master.api.job({ job_id: id })).job.status).toBe('failed')
})

test('what a foreign worker left half done at the output path does not stop the next one', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const job = await master.api.nextJob({ worker_id: 'foreign' })
  mkdirSync(dirname(job?.output_path ?? ''), { recursive: true })
  writeFileSync(job?.output_path ?? '', 'half')
  await master.api.fail({ job_id: id, worker_id: 'foreign', error_message: 'crashed' })
  await master.api.retryJob({ job_id: id })
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toMatchObject({ id })
})

test('no result takes the place of its own source, whatever links lead there and whatever may be replaced', async () => {
  for (const kind of ['folder link', 'hard link'] as const) {
    const master = openMaster({ overwrite: true })
    const source = join(master.root_path, 'sub', 'a.mp4')
    const id = await master.addSource('sub/a.mp4', 'the source')
    const { output_path } = (await master.api.job({ job_id: id })).job
    mkdirSync(master.output_base, { recursive: true })
    if (kind === 'folder link') symlinkSync(dirname(source), dirname(output_path))
    else {
      mkdirSync(dirname(output_path))
      linkSync(source, output_path)
    }
    expect(await master.api.claim({ ...asker, request_id: 'r' })).toBeNull()
    expect(await master.api.nextJob({ worker_id: 'foreign' })).toBeNull()
    expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'failed' })
    expect(readFileSync(source, 'utf8')).toBe('the source')
  }
})

test('no result lies among the sources when the output tree turns out to lead there in mid-job', async () => {
  const master = openMaster({ overwrite: true })
  const { job, claim } = await claimed(master, 'sub/a.mkv')
  const output_size = master.stage(job.staging_path, 'result')
  symlinkSync(dirname(job.source_path), dirname(job.output_path))
  expect(await master.api.complete({ ...claim, output_size })).toMatchObject({ status: 'failed' })
  expect(existsSync(join(dirname(job.source_path), 'a.mp4'))).toBe(false)
})

test('a publication that was recorded nowhere after its rename is found when the worker says it again', async () => {
  const master = openMaster()
  const { job, claim } = await claimed(master)
  const output_size = master.stage(job.output_path, 'result')
  await master.store.beginPublish(claim, { ...result, output_size })
  expect(await master.api.complete({ ...claim, output_size, notes: ['kept'] })).toEqual({ status: 'completed' })
  expect((await master.api.job({ job_id: job.id })).job).toMatchObject({ status: 'completed', notes: ['kept'] })
})
