import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { openMaster } from '../support/master.ts'

const asker = { worker_id: 'w', boot_id: 'boot' }

test('whoever waits gets work as soon as a job is added, retried, released or given back by time', async () => {
  const master = openMaster()
  const waiting = master.api.claim({ ...asker, request_id: 'r1', wait: 50 })
  const id = await master.addSource('a.mkv')
  const job = await waiting
  expect(job).toMatchObject({ id, attempt: 1, status: 'processing' })
  const again = master.api.claim({ ...asker, request_id: 'r2', wait: 50 })
  await master.api.release({ job_id: id, worker_id: 'w', attempt: 1 })
  expect(await again).toMatchObject({ id, attempt: 2 })
})

test('a claim repeated with its request id gets the same job, a new request does not', async () => {
  const master = openMaster()
  await master.addSource('a.mkv')
  await master.addSource('b.mkv')
  const first = await master.api.claim({ ...asker, request_id: 'same' })
  const repeated = await master.api.claim({ ...asker, request_id: 'same' })
  const other = await master.api.claim({ ...asker, request_id: 'other' })
  expect(repeated?.id).toBe(first?.id ?? '')
  expect(repeated?.attempt).toBe(1)
  expect(other?.id).not.toBe(first?.id)
})

test('a wait ends with nothing when its time is over, on its signal, and when the master stops', async () => {
  const master = openMaster()
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toBeNull()
  const hangUp = new AbortController()
  const aborted = master.api.claim({ ...asker, request_id: 'r', wait: 50 }, hangUp.signal)
  const stopped = master.api.claim({ ...asker, request_id: 'r', wait: 50 })
  hangUp.abort()
  expect(await aborted).toBeNull()
  await master.coordinator.stop()
  expect(await stopped).toBeNull()
})

test('many who wait at once share what comes, none of it twice', async () => {
  const master = openMaster()
  const asking = Array.from({ length: 20 }, (_, number) =>
    master.api.claim({ worker_id: `w${number}`, boot_id: 'b', request_id: `r${number}`, wait: 50 }),
  )
  for (let number = 0; number < 20; number++) await master.addSource(`${number}.mkv`)
  const jobs = await Promise.all(asking)
  expect(new Set(jobs.map((job) => job?.id)).size).toBe(20)
})

test('a source that changed since the scan is not handed out until it has settled', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const path = join(master.root_path, 'a.mkv')
  writeFileSync(path, 'more of it')
  utimesSync(path, new Date(master.clock.now), new Date(master.clock.now))
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toBeNull()
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'pending', source_size: 10 })
  master.clock.now += 10_001
  expect(await master.api.claim({ ...asker, request_id: 'r2' })).toMatchObject({ id, source_size: 10 })
})

test('a source that is gone fails its job for good; found again by a scan, it is queued again', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  await master.addSource('b.mkv')
  rmSync(join(master.root_path, 'a.mkv'))
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toMatchObject({
    source_path: join(master.root_path, 'b.mkv'),
  })
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'failed', retry_at_ms: null })
  await master.addSource('a.mkv')
  expect((await master.api.job({ job_id: id })).job.status).toBe('pending')
})

test('an unmounted storage fails nothing: jobs wait until it is back', async () => {
  const master = openMaster()
  const ids = [await master.addSource('a.mkv'), await master.addSource('b.mkv')]
  renameSync(master.root_path, `${master.root_path}.away`)
  mkdirSync(master.root_path)
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toBeNull()
  expect(await master.api.claim({ ...asker, request_id: 'r' })).toBeNull()
  expect(await master.api.status({})).toMatchObject({ pending: 2, failed: 0 })
  rmSync(master.root_path, { recursive: true })
  renameSync(`${master.root_path}.away`, master.root_path)
  master.clock.now += 10_001
  expect(ids).toContain((await master.api.claim({ ...asker, request_id: 'r' }))?.id ?? '')
})

test('a foreign file at the output path fails the job unless it may be replaced; a result of ours never does', async () => {
  for (const overwrite of [false, true]) {
    const master = openMaster({ overwrite })
    const id = await master.addSource('a.mkv')
    const { output_path } = (await master.api.job({ job_id: id })).job
    mkdirSync(dirname(output_path), { recursive: true })
    writeFileSync(output_path, 'mine')
    const job = await master.api.claim({ ...asker, request_id: 'r' })
    expect(job?.id).toBe(overwrite ? id : undefined)
    expect((await master.api.job({ job_id: id })).job.status).toBe(overwrite ? 'processing' : 'failed')
  }
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const job = await master.api.claim({ ...asker, request_id: 'r' })
  const output_size = master.stage(job?.staging_path ?? '', 'result')
  await master.api.complete({ job_id: id, worker_id: 'w', attempt: 1, output_size })
  await master.api.requeueJob({ job_id: id })
  expect(await master.api.claim({ ...asker, request_id: 'r2' })).toMatchObject({ id, attempt: 2 })
})

test("a job of the original's, which no scan has seen, is handed out as it is", async () => {
  const master = openMaster()
  const original = new Database(join(master.root_path, '..', 'jobs.db'))
  original.run(`INSERT INTO jobs (id, source_path, output_path, status, created_at)
    VALUES ('video_001.mp4_20251107205659', '/nowhere/video_001.mp4', '/nowhere/out.mp4', 'pending', '2025-11-07T20:56:59.000Z')`)
  original.close()
  expect(await master.api.nextJob({ worker_id: 'w' })).toMatchObject({ id: 'video_001.mp4_20251107205659', attempt: 1 })
})

test('a source that has grown beyond the room of who asked is given back, and to one with more room', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv', 'short')
  const path = join(master.root_path, 'a.mkv')
  writeFileSync(path, 'longer than it was when it was scanned')
  utimesSync(path, new Date(master.clock.now - 60_000), new Date(master.clock.now - 60_000))
  expect(await master.api.claim({ ...asker, request_id: 'r1', max_source_bytes: 10 })).toBeNull()
  const { job, attempts } = await master.api.job({ job_id: id })
  expect([job.status, job.source_size, attempts]).toEqual(['pending', 38, []])
  expect(await master.api.claim({ ...asker, request_id: 'r2', max_source_bytes: 38 })).toMatchObject({ id })
})

test('who hangs up while it is given a job, and makes the same request again, is given it and keeps it', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const request = { ...asker, request_id: 'same', wait: 50 }
  const hangUp = new AbortController()
  const claim = master.store.claim.bind(master.store)
  let again: ReturnType<typeof master.api.claim> | undefined
  master.store.claim = async (asked) => {
    const job = await claim(asked)
    if (again !== undefined) return job
    again = master.api.claim(request)
    hangUp.abort()
    // As much time as the second asking needs when nothing holds it.
    for (let turns = 0; turns < 100; turns++) await setImmediate()
    return job
  }
  expect(await master.api.claim(request, hangUp.signal)).toBeNull()
  expect(await again).toMatchObject({ id })
  expect((await master.api.job({ job_id: id })).job).toMatchObject({ status: 'processing', worker_id: 'w' })
})

test('while its cache is in use a worker is told what it passes over; when it is not, it takes what nobody else takes', async () => {
  const master = openMaster()
  const id = await master.addSource('large.mkv', 'a large film')
  await master.addSource('small.mkv', 'small')
  const room = { ...asker, max_source_bytes: 8, cache_bytes: 10 }
  expect(await master.remote.claim({ ...room, request_id: 'r1' })).toMatchObject({
    source_size: 5,
    passed_over_bytes: 12,
  })
  expect(await master.remote.claim({ ...room, request_id: 'r2' })).toBeNull()
  // Another worker that takes larger ones is left what this one has no room for.
  const other = { worker_id: 'other', boot_id: 'boot', max_source_bytes: 0, cache_bytes: 20 }
  expect(await master.remote.claim({ ...other, request_id: 'r3' })).toBeNull()
  expect(await master.remote.claim({ ...room, request_id: 'r4', is_cache_free: true })).toBeNull()
  const larger = await master.addSource('larger.mkv', 'x'.repeat(21))
  await master.remote.prioritizeJob({ job_id: larger, priority: 9 })
  const forNobody = await master.remote.claim({ ...room, request_id: 'r6', is_cache_free: true })
  expect(forNobody).toMatchObject({ id: larger })
  await master.remote.leave({ worker_id: 'other', boot_id: 'boot' })
  const taken = await master.remote.claim({ ...room, request_id: 'r5', is_cache_free: true })
  expect(taken).toMatchObject({ id, passed_over_bytes: null })
})

test('the large one that comes later, or with less priority, is not passed over', async () => {
  const master = openMaster()
  await master.addSource('small.mkv', 'small')
  await master.addSource('urgent.mkv', 'also')
  await master.addSource('large.mkv', 'a large film')
  const { jobs } = await master.api.jobs({ search: 'urgent' })
  await master.api.prioritizeJob({ job_id: jobs[0]?.id ?? '', priority: 9 })
  const room = { ...asker, max_source_bytes: 8 }
  const given = [
    await master.api.claim({ ...room, request_id: 'r1' }),
    await master.api.claim({ ...room, request_id: 'r2' }),
  ]
  expect(given.map((job) => [job?.source_size, job?.passed_over_bytes])).toEqual([
    [4, null],
    [5, null],
  ])
})
