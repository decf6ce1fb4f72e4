import { expect, test } from 'bun:test'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Api } from '../../src/contract/api.ts'
import { DarkstreamError } from '../../src/contract/error.ts'
import { useClips } from '../support/clips.ts'
import { openMaster, type TestMaster } from '../support/master.ts'
import { temporaryFolder } from '../support/program.ts'
import { openWorker, workUntil } from './open-worker.ts'

const clips = useClips()
const away = () => Promise.reject(new DarkstreamError('unreachable', 'away'))

async function addClip(master: TestMaster, name: string, clip: 'plain.mp4' | 'sound-only.mp4' = 'plain.mp4') {
  return master.addSource(name, await Bun.file(await clips.path(clip)).bytes())
}

/** Lets a worker convert one source while the master cannot be told of the end, and ends it; what the outbox then holds. */
async function convertUnheard(master: TestMaster, work_base: string) {
  const untold: Api = {
    ...master.remote,
    complete: () => end(),
    fail: () => end(),
    leave: () => Promise.reject(new Error('a worker with untold results does not leave')),
  }
  const { worker, lines } = openWorker(untold, { work_base, concurrency: 1, drain_patience_ms: 0 })
  await worker.run()
  return { lines, entries: entriesOf(work_base) }

  function end() {
    worker.drain()
    return away()
  }
}

function entriesOf(work_base: string): string[] {
  const folder = join(work_base, 'outbox')
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}

const stagedIn = (master: TestMaster) => readdirSync(join(master.output_base, '.darkstream', 'work'))

test('a result waits in the outbox while the master is away and is delivered by the next start, without a second encode', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { lines, entries } = await convertUnheard(master, work_base)
  expect(entries).toHaveLength(1)
  expect(lines.at(-1)).toContain('the result waits in the outbox and will be delivered at the next start: away')
  expect((await master.api.job({ job_id })).job.status).toBe('processing')
  // Its lease would have run out, had the new start not renewed it.
  master.clock.now += 119_000
  let heartbeats = 0
  const slow: Api = {
    ...master.remote,
    complete: async (input, signal) => {
      if (heartbeats < 2) return away()
      return master.remote.complete(input, signal)
    },
    heartbeat: async (input, signal) => {
      heartbeats++
      master.clock.now += 119_000
      await master.remote.heartbeat(input, signal)
      expect(await master.store.reap()).toEqual([])
      return { status: 'ok' }
    },
  }
  const second = openWorker(slow, { work_base })
  await workUntil(master, second.worker, 1)
  const { job, attempts } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'completed', attempt: 1, worker_id: 'w' })
  expect(attempts).toHaveLength(1)
  expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
  expect(second.lines.some((line) => line.includes('converting'))).toBe(false)
  expect(entriesOf(work_base)).toEqual([])
  expect(stagedIn(master)).toEqual([])
})

test('the report of a failure is kept and delivered in the same way', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4', 'sound-only.mp4')
  const { entries } = await convertUnheard(master, work_base)
  expect(entries).toHaveLength(1)
  await workUntil(master, openWorker(master.remote, { work_base }).worker, 1)
  const { job, attempts } = await master.api.job({ job_id })
  expect(job).toMatchObject({ status: 'failed', attempt: 1, error_class: 'permanent' })
  expect(attempts).toMatchObject([{ outcome: 'failed', step: 'probe' }])
  expect(entriesOf(work_base)).toEqual([])
})

test('what a worker of an earlier version left in the outbox is delivered, with all that it told', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { entries } = await convertUnheard(master, work_base)
  const [path = ''] = entries
  const { report, ...entry } = JSON.parse(readFileSync(path, 'utf8')) as { report: { input: object } }
  const { source_facts: _, profile: __, settings: ___, score: ____, ...told } = report.input as Record<string, unknown>
  writeFileSync(path, JSON.stringify({ ...entry, report: { ...report, input: told } }))
  await workUntil(master, openWorker(master.remote, { work_base }).worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({
    status: 'completed',
    attempt: 1,
    source_facts: null,
    ran_on: { encoder: 'libx264' },
  })
  expect(entriesOf(work_base)).toEqual([])
})

test('new jobs are done while an old result still waits for an answer', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const old = await addClip(master, 'a.mp4')
  await convertUnheard(master, work_base)
  const fresh = await addClip(master, 'b.mp4')
  let isFreshDone = false
  const { worker } = openWorker(
    {
      ...master.remote,
      complete: async (input, signal) => {
        if (input.job_id === old && !isFreshDone) return away()
        isFreshDone = true
        return master.remote.complete(input, signal)
      },
    },
    { work_base },
  )
  await workUntil(master, worker, 2)
  for (const job_id of [old, fresh]) {
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 1 })
  }
})

test('of a worker that starts anew the master keeps the claims that wait in the outbox and takes back the others', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const kept = await addClip(master, 'a.mp4')
  await convertUnheard(master, work_base)
  const lost = await master.addSource('b.mp4')
  const boot_id = (await master.store.worker('w'))?.boot_id ?? ''
  const job = await master.api.claim({ worker_id: 'w', boot_id, request_id: 'r' })
  expect(job?.id).toBe(lost)
  const claims = [
    { job_id: kept, attempt: 1 },
    { job_id: lost, attempt: 7 },
  ]
  const again = { worker_id: 'w', hostname: 'host', boot_id: 'new', claims }
  expect(await master.remote.register(again)).toMatchObject({ released: 1 })
  expect((await master.api.job({ job_id: kept })).job).toMatchObject({ status: 'processing', attempt: 1 })
  expect((await master.api.job({ job_id: lost })).job).toMatchObject({ status: 'pending', worker_id: null })
})

test('a result whose attempt was lost meanwhile is refused and cleaned up, and nothing else is touched', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { entries } = await convertUnheard(master, work_base)
  const { staging_path } = JSON.parse(readFileSync(entries[0] ?? '', 'utf8')) as { staging_path: string }
  await master.store.cancel(job_id)
  expect(existsSync(staging_path)).toBe(true)
  const { worker, lines, whenSaid } = openWorker(master.remote, { work_base })
  const running = worker.run()
  await whenSaid('dropped: ')
  worker.drain()
  await running
  expect(lines.find((line) => line.includes('dropped'))).toContain('it is cancelled')
  expect(existsSync(dirname(staging_path))).toBe(false)
  expect(entriesOf(work_base)).toEqual([])
  expect(existsSync(join(master.output_base, 'a.mp4'))).toBe(false)
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'cancelled', attempt: 1 })
})

test('an entry that makes no sense is kept under another name, and its job is converted again', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { entries } = await convertUnheard(master, work_base)
  const [path = ''] = entries
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40))
  writeFileSync(`${path}.new`, 'cut short')
  const { worker, lines } = openWorker(master.remote, { work_base })
  await workUntil(master, worker, 1)
  expect(lines.some((line) => line.includes(`it is kept as ${path}.unreadable`))).toBe(true)
  expect(lines.some((line) => line.includes('wait in the outbox'))).toBe(false)
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 2 })
  expect(entriesOf(work_base)).toEqual([`${path}.unreadable`])
  expect(stagedIn(master)).toEqual([])
  const again = openWorker(master.remote, { work_base })
  again.worker.drain()
  await again.worker.run()
  expect(again.lines.filter((line) => line.includes('outbox'))).toEqual([])
  expect(entriesOf(work_base)).toEqual([`${path}.unreadable`])
})

test('an entry that the disk does not give just now is left, and delivered by a later start', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { entries } = await convertUnheard(master, work_base)
  const [path = ''] = entries
  const apart = `${work_base}-apart`
  renameSync(path, apart)
  mkdirSync(path)
  const { worker, lines } = openWorker(master.remote, { work_base })
  worker.drain()
  await worker.run()
  expect(lines.filter((line) => line.includes(`it is left where it is: ${path}: `))).toHaveLength(1)
  rmdirSync(path)
  renameSync(apart, path)
  await workUntil(master, openWorker(master.remote, { work_base }).worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 1 })
  expect(entriesOf(work_base)).toEqual([])
})

test('what is for another master, or of another worker, is left alone', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { entries } = await convertUnheard(master, work_base)
  for (const other of [{ master: 'http://elsewhere.test' }, { worker_id: 'another' }]) {
    const { worker, lines } = openWorker(openMaster().remote, { work_base, ...other })
    const running = worker.run()
    worker.drain()
    await running
    expect(lines.some((line) => line.includes('holds results for another to deliver: w for http://master.test'))).toBe(
      true,
    )
    expect(entriesOf(work_base)).toEqual(entries)
  }
  await workUntil(master, openWorker(master.remote, { work_base }).worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 1 })
})

test('a worker told to stop now tries once more to hand in what it has, and keeps it when that fails', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  await addClip(master, 'a.mp4')
  let tries = 0
  const { worker, lines } = openWorker(
    {
      ...master.remote,
      complete: () => {
        tries++
        worker.stop()
        return away()
      },
    },
    { work_base, concurrency: 1 },
  )
  await worker.run()
  expect(tries).toBe(2)
  expect(lines.some((line) => line.includes('the result waits in the outbox'))).toBe(true)
  expect(entriesOf(work_base)).toHaveLength(1)
})

test('a result that the master does not understand is told as a failure, without what may be to blame', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  const { worker } = openWorker(
    {
      ...master.remote,
      complete: () => Promise.reject(new DarkstreamError('invalid_request', 'ran_on: what?')),
      fail: async (input, signal) => {
        if (input.ran_on) throw new DarkstreamError('invalid_request', 'ran_on: what?')
        return master.remote.fail(input, signal)
      },
    },
    { work_base },
  )
  await workUntil(master, worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({
    status: 'failed',
    error_message: expect.stringContaining('the master refused the result: ran_on: what?'),
    error_class: 'worker',
  })
  expect(entriesOf(work_base)).toEqual([])
  expect(stagedIn(master)).toEqual([])
})

test('where the outbox cannot be written the result is told all the same', async () => {
  const [master, work_base] = [openMaster(), temporaryFolder()]
  const job_id = await addClip(master, 'a.mp4')
  mkdirSync(work_base, { recursive: true })
  writeFileSync(join(work_base, 'outbox'), 'in the way')
  const { worker, lines } = openWorker(master.remote, { work_base })
  await workUntil(master, worker, 1)
  expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 1 })
  expect(lines.some((line) => line.includes('cannot note a result in the outbox'))).toBe(true)
})
