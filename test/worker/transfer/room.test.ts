import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync, statfsSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '../../../src/contract/api.ts'
import { DarkstreamError } from '../../../src/contract/error.ts'
import { type ClipName, useClips } from '../../support/clips.ts'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { lacksMounts, mountTinyDisk } from '../../support/tiny-disk.ts'
import { openWorker, workUntil } from '../open-worker.ts'
import { openFiles, type OpenFilesOptions, serve } from './open-files.ts'

const clips = useClips()

async function add(master: TestMaster, name: string, clip: ClipName): Promise<number> {
  const bytes = await Bun.file(await clips.path(clip)).bytes()
  await master.addSource(name, bytes)
  return bytes.length
}

/** What was asked for and given, and the most that lay in the cache whenever a source was asked for. */
interface Seen {
  asked: { request_id: string; limit: unknown; isFree: unknown; size: number }[]
  most: number
}

/** A worker over HTTP that fetches ahead in two slots, and what is seen of it. */
function watchedWorker(
  master: TestMaster,
  limits: { max_cache: number; min_free: number; work_base: string },
  { worker_id = 'w', now = () => performance.now() } = {},
) {
  const { api, transfer } = serve(master)
  let failures = 0
  const seen: Seen = { asked: [], most: 0 }
  const sources = join(limits.work_base, 'sources')
  const watched: Api = {
    ...api,
    async claim(input, signal) {
      const { request_id, max_source_bytes: limit, is_cache_free: isFree } = input
      const one: Seen['asked'][number] = { request_id, limit, isFree, size: 0 }
      seen.asked.push(one)
      const job = await api.claim(input, signal)
      one.size = job?.source_size ?? 0
      return job
    },
  }
  const files = openFiles({
    ...limits,
    worker_id,
    api: watched,
    transfer: {
      ...transfer,
      async fetchSource(claim, ...rest) {
        seen.most = Math.max(seen.most, bytesIn(sources))
        return transfer.fetchSource(claim, ...rest)
      },
      // Results wait in the outbox meanwhile, on the same disk.
      async uploaded(...args) {
        if (failures++ % 3 !== 2) throw new DarkstreamError('unreachable', 'away')
        return transfer.uploaded(...args)
      },
    },
  })
  const { work_base, min_free } = limits
  const options = { work_base, min_free, files, concurrency: 2, prefetch: true, worker_id, now }
  return { ...openWorker(watched, options), seen, sources }
}

function bytesIn(folder: string): number {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

async function expectAllDone(master: TestMaster, { asked }: Seen): Promise<void> {
  const { jobs } = await master.api.jobs({})
  // At the first attempt: none was claimed that had to be given back.
  expect(jobs.map(({ status, attempt }) => [status, attempt])).toEqual(jobs.map(() => ['completed', 1]))
  for (const { size, limit } of asked) expect(size).toBeLessThanOrEqual(Number(limit))
}

test('slots that fetch ahead share a small cache: each claims what there is room for, and asks anew when there is more', async () => {
  const master = openMaster()
  const large = await add(master, 'a.mp4', 'long.mp4')
  await add(master, 'b.mp4', 'long.mp4')
  const small = await add(master, 'c.mp4', 'plain.mp4')
  for (const name of ['d.mp4', 'e.mp4']) await add(master, name, 'plain.mp4')
  const work_base = temporaryFolder()
  // What an earlier process left when it was killed.
  mkdirSync(join(work_base, 'sources'))
  writeFileSync(join(work_base, 'sources', 'half.part'), Buffer.alloc(large))
  const max_cache = Math.floor(large * 1.5)
  const { worker, seen, sources } = watchedWorker(master, { work_base, max_cache, min_free: 0 })
  expect(small * 2).toBeLessThan(max_cache - large)
  await workUntil(master, worker, 5)
  await expectAllDone(master, seen)
  expect(seen.most).toBeLessThanOrEqual(max_cache)
  expect(bytesIn(sources)).toBeLessThanOrEqual(max_cache)
  // The small ones have passed the second large one, which did not fit beside the first.
  const order = seen.asked.flatMap(({ size }) => (size > 0 ? [size] : []))
  expect(order.slice(0, 2)).toEqual([large, small])
  const requests = Map.groupBy(seen.asked, ({ request_id }) => request_id)
  expect([...requests.values()].some((asked) => asked.length > 1)).toBe(true)
})

test('a large one that was passed over for long enough is waited for: the small ones that came later go after it', async () => {
  const master = openMaster()
  const large = await add(master, 'a.mp4', 'long.mp4')
  await add(master, 'b.mp4', 'long.mp4')
  const small = await add(master, 'c.mp4', 'plain.mp4')
  for (const name of ['d.mp4', 'e.mp4', 'f.mp4']) await add(master, name, 'plain.mp4')
  const limits = { work_base: temporaryFolder(), max_cache: Math.floor(large * 1.5), min_free: 0 }
  let minutes = 0
  const { worker, seen } = watchedWorker(master, limits, { now: () => 600_000 * minutes++ })
  await workUntil(master, worker, 6)
  await expectAllDone(master, seen)
  const order = seen.asked.flatMap(({ size }) => (size > 0 ? [size] : []))
  expect(order).toEqual([large, small, large, small, small, small])
})

test('what is larger than the whole cache is claimed when nothing else is there to do, and fails with a reason', async () => {
  const master = openMaster()
  const large = await add(master, 'a.mp4', 'long.mp4')
  await add(master, 'b.mp4', 'plain.mp4')
  await add(master, 'c.mp4', 'plain.mp4')
  const { worker, seen } = watchedWorker(master, { work_base: temporaryFolder(), max_cache: large - 1, min_free: 0 })
  await workUntil(master, worker, 3)
  const order = seen.asked.flatMap(({ size }) => (size > 0 ? [size] : []))
  expect(order.indexOf(large)).toBe(2)
  const { jobs } = await master.api.jobs({ status: 'failed' })
  expect(jobs).toMatchObject([{ source_size: large, error_class: 'worker' }])
  expect(jobs[0]?.error_message).toContain('does not fit')
  expect(jobs[0]?.error_message).toContain('storage.max_cache')
})

test('it is left to a worker that takes it, where one is there', async () => {
  const master = openMaster()
  const large = await add(master, 'a.mp4', 'long.mp4')
  await add(master, 'b.mp4', 'plain.mp4')
  const limits = { max_cache: large - 1, min_free: 0 }
  const small = watchedWorker(master, { ...limits, work_base: temporaryFolder() })
  const roomy = watchedWorker(
    master,
    { ...limits, max_cache: large, work_base: temporaryFolder() },
    { worker_id: 'roomy' },
  )
  // It is there, and has told what it takes.
  const asker = { worker_id: 'roomy', boot_id: 'of before', request_id: 'r' }
  const { api } = serve(master)
  expect(await api.claim({ ...asker, max_source_bytes: 0, cache_bytes: large })).toBeNull()
  const running = small.worker.run()
  await master.whenEnded(1)
  await workUntil(master, roomy.worker, 2)
  small.worker.drain()
  await running
  await expectAllDone(master, small.seen)
  expect(roomy.seen.asked.map(({ size }) => size)).toContain(large)
})

test('room is set aside where sources come over HTTP, and not where they are on the mount', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  const never = new AbortController().signal
  const away = [{ from: '/', to: join(temporaryFolder(), 'nothing') }]
  const isBounded = async (options: Partial<OpenFilesOptions>) => {
    const files = openFiles({ api, transfer, max_cache: 1000, ...options })
    return (await files.offer(never, 0))?.limits.max_source_bytes
  }
  expect(await isBounded({ mode: 'http' })).toBe(1000)
  expect(await isBounded({ mode: 'auto' })).toBeUndefined()
  expect(await isBounded({ mode: 'auto', path_map: away })).toBe(1000)
  expect(await isBounded({ mode: 'mount', path_map: away })).toBeUndefined()
})

test('what was set aside is free again when the job’s files are on the mount after all', async () => {
  const master = openMaster()
  const { api, transfer } = serve(master)
  await master.addSource('a.mp4', 'a film')
  const never = new AbortController().signal
  const files = openFiles({ api, transfer, max_cache: 1000, mode: 'auto' })
  // As long as nothing proves the mount, sources are to be fetched.
  const apart = openFiles({ api, transfer, max_cache: 1000, mode: 'http' })
  const room = await apart.offer(never, 0)
  const job = await api.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
  if (!job) throw new Error('no job')
  room?.take(job.source_size)
  expect((await files.choose(job, room)).way).toBe('mount')
  expect((await apart.offer(never, 0))?.limits).toMatchObject({ max_source_bytes: 1000, is_cache_free: true })
})

test('a client of the original is given what a worker of ours has no room for', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mp4', 'a large film')
  const asker = { worker_id: 'w', boot_id: 'boot' }
  expect(await master.remote.claim({ ...asker, request_id: 'r', max_source_bytes: 11 })).toBeNull()
  expect(await master.remote.nextJob({ worker_id: 'foreign' })).toMatchObject({ id })
})

describe.skipIf(lacksMounts('slots that fetch ahead on a small disk'))('on a small disk', () => {
  test('slots that fetch ahead leave what is to stay free, their results included', async () => {
    // Results are not larger than their sources.
    const master = openMaster({ settings: { bitrate: 300_000 } })
    const large = await add(master, 'a.mp4', 'long.mp4')
    for (const name of ['b.mp4', 'c.mp4']) await add(master, name, 'long.mp4')
    for (const name of ['d.mp4', 'e.mp4']) await add(master, name, 'plain.mp4')
    const min_free = 256 * 1024
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), `${Math.ceil((large * 2.7 + min_free) / 1024)}k`)
    const { worker, seen, lines } = watchedWorker(master, { work_base: disk.path, max_cache: 0, min_free })
    await workUntil(master, worker, 5)
    await expectAllDone(master, seen)
    expect(lines.filter((line) => /ENOSPC|does not fit/.test(line))).toEqual([])
    const { bavail, bsize } = statfsSync(disk.path)
    expect(bavail * bsize).toBeGreaterThanOrEqual(min_free)
  })

  test('a source for which there is no room, where nobody looks at it, says which disk is full', async () => {
    const master = openMaster({ max_retries: 0 })
    const id = await master.addSource('a.mp4', crypto.getRandomValues(new Uint8Array(65_536)))
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '256k')
    disk.fill(16_384)
    const { worker } = watchedWorker(master, { work_base: disk.path, max_cache: 0, min_free: 0 })
    await workUntil(master, worker, 1)
    const { job } = await master.api.job({ job_id: id })
    expect(job.error_message).toBe(`the disk of the cache is full (${join(disk.path, 'sources')})`)
  })
})
