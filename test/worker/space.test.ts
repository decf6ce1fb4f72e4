import { describe, expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Api } from '../../src/contract/api.ts'
import { stagingPath } from '../../src/master/publish.ts'
import { noGpus } from '../support/no-gpus.ts'
import { createLog, type Log } from '../../src/util/log.ts'
import { Outbox } from '../../src/worker/outbox.ts'
import { type RunContext, runJob } from '../../src/worker/run-job.ts'
import { type SizedJob, Space } from '../../src/worker/space.ts'
import { useClips } from '../support/clips.ts'
import { openMaster, type TestMaster } from '../support/master.ts'
import { News } from '../support/news.ts'
import { temporaryFolder } from '../support/program.ts'
import { lacksMounts, mountTinyDisk } from '../support/tiny-disk.ts'
import { openWorker, workUntil } from './open-worker.ts'

const clips = useClips()
const million = 1_000_000

/** A master with one source whose results go to `output` in the folder. */
async function openOver(base: string) {
  const master = openMaster({ base })
  return { master, job_id: await master.addSource('a.mp4', await clip()) }
}

async function clip(): Promise<Uint8Array> {
  return Bun.file(await clips.path('plain.mp4')).bytes()
}

/** The clip, made so many bytes longer by a box that players skip. */
async function padded(bytes: number): Promise<Uint8Array> {
  const box = Buffer.alloc(bytes)
  box.writeUInt32BE(bytes)
  box.write('free', 4)
  return Buffer.concat([await clip(), box])
}

/** A space over a disk, with a million bytes to stay free, and jobs that are sized by hand. */
function openSpace(disk: { path: string }) {
  const lines: string[] = []
  const news = new News()
  const write = (line: string) => {
    lines.push(line)
    news.beat()
  }
  const log = createLog({ level: 'info', format: 'text', output_path: null, write })
  const space = new Space({ work_base: temporaryFolder(), mount_path: disk.path, min_free: million, log })
  const reserve = (job: SizedJob, signal = new AbortController().signal) => space.reserve(job, signal)
  const job = (name: string, source_size: number): SizedJob => ({
    source_path: name,
    source_size,
    staging_path: join(disk.path, name, 'result.mp4'),
  })
  return { space, log, lines, news, reserve, job }
}

/** What a job runs with that comes to no encode. */
function contextOf(master: TestMaster, space: Space, log: Log): RunContext {
  const [folder, worker_id] = [temporaryFolder(), 'w']
  return {
    api: master.remote,
    worker_id,
    space,
    outbox: new Outbox({ folder, master: 'http://master.test', worker_id, log }),
    tools: { ffmpeg_path: '/nowhere/ffmpeg', ffprobe_path: '/nowhere/ffprobe', version: '5.1' },
    gpus: noGpus,
    limits: { encode_timeout_ms: 60_000, probe_timeout_ms: 60_000, stall_timeout_ms: 60_000 },
    job_timeout_ms: 60_000,
    work_base: folder,
    child_environment: process.env,
    retry_pause_ms: 5,
    draining: new AbortController().signal,
    drain_patience_ms: 60_000,
    onEncoded: () => {},
    log,
  }
}

const count = (lines: readonly string[], words: string) => lines.filter((line) => line.includes(words)).length

describe.skipIf(lacksMounts('what a worker does when its disk is full'))('on a disk that is nearly full', () => {
  test('nothing is claimed, which is said once and in every heartbeat, until space is back', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { master, job_id } = await openOver(base)
    disk.fill(million)
    const beats: (string | undefined)[] = []
    const news = new News()
    const heard: Api = {
      ...master.remote,
      heartbeat: async (input, signal) => {
        beats.push(input.obstacle)
        news.beat()
        return master.remote.heartbeat(input, signal)
      },
    }
    const { worker, lines, whenSaid } = openWorker(heard, { mount_path: disk.path, min_free: 4 * million })
    const running = workUntil(master, worker, 1)
    await whenSaid(`not claiming: less than storage.min_free (4.0 MB) is free for results (${disk.path})`)
    await news.until(() => beats.some((obstacle) => obstacle?.includes('storage.min_free')))
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'pending', attempt: 0 })
    disk.clear()
    await running
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 1 })
    expect([count(lines, 'not claiming'), count(lines, 'claiming again')]).toEqual([1, 1])
  })

  test('a read-only disk for results fails no job: it is given back, and nothing is claimed until it can be written', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { master, job_id } = await openOver(base)
    disk.remount('ro')
    const { worker, lines, whenSaid } = openWorker(master.remote, { min_free: 0, concurrency: 1 })
    const running = workUntil(master, worker, 1)
    await whenSaid(`not claiming: the folder for results is on a read-only file system (${disk.path}/.darkstream/work)`)
    const { job, attempts } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'pending', retry_count: 0, error_message: null })
    expect(attempts.map(({ outcome }) => outcome)).not.toContain('failed')
    disk.remount('rw')
    await running
    expect((await master.api.job({ job_id })).job.status).toBe('completed')
    expect(count(lines, 'not claiming')).toBe(1)
  })

  test('a job that does not fit fails with sizes and a remedy, and the worker goes on with those that do', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const master = openMaster({ base })
    const large = await master.addSource('large.mp4', await padded(3 * million))
    master.clock.now++
    const small = await master.addSource('small.mp4', await clip())
    disk.fill(3 * million)
    const first = openWorker(master.remote, { min_free: million, concurrency: 1 })
    await workUntil(master, first.worker, 2)
    expect(master.events.map(({ type, job }) => [type, job.id]).slice(0, 2)).toEqual([
      ['claimed', large],
      ['failed', large],
    ])
    expect((await master.api.job({ job_id: small })).job).toMatchObject({ status: 'completed', attempt: 1 })
    const { job, attempts } = await master.api.job({ job_id: large })
    expect(job).toMatchObject({ status: 'failed', error_class: 'worker' })
    expect(job.error_message).toMatch(
      /its result may take as much room as its source \(3\.\d MB\), but 3\.0 MB is free for results \(.*\), of which storage\.min_free \(1\.0 MB\) stays free: make room there or lower it, then retry the job$/,
    )
    expect(attempts).toMatchObject([{ outcome: 'failed', step: 'stage' }])
    expect(count(first.lines, 'not claiming')).toBe(0)
    disk.clear()
    await master.store.retry(large)
    await workUntil(master, openWorker(master.remote, { min_free: million }).worker, 3)
    expect((await master.api.job({ job_id: large })).job).toMatchObject({ status: 'completed', attempt: 2 })
  })

  test('a result that outgrows its source ends before it leaves too little for others, and leaves nothing', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '40m')
    const path = join(base, 'long.mp4')
    const coarse = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '51']
    const made = ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=640x360:duration=60', ...coarse, path]
    expect(Bun.spawnSync(['ffmpeg', ...made]).exitCode).toBe(0)
    const source = await Bun.file(path).bytes()
    const master = openMaster({ base, max_retries: 0 })
    const job_id = await master.addSource('long.mp4', source)
    disk.fill(source.length + 30.3 * million)
    await workUntil(master, openWorker(master.remote, { min_free: 30 * million }).worker, 1)
    const { job } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'failed', error_class: 'retryable' })
    expect(job.error_message).toMatch(
      /^its result has grown to [\d.]+ MB, its source has [\d.]+ MB, and less than storage\.min_free \(30\.0 MB\) is free for results \(/,
    )
    expect(existsSync(dirname(stagingPath(master.output_base, job)))).toBe(false)
  }, 30_000)

  test('a job that comes when the disk has just become full is given back unharmed', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { master, job_id } = await openOver(base)
    let isFirst = true
    const late: Api = {
      ...master.remote,
      claim: async (input, signal) => {
        const claimed = await master.remote.claim(input, signal)
        if (isFirst) disk.fill(million / 2)
        isFirst = false
        return claimed
      },
    }
    const { worker, lines, whenSaid } = openWorker(late, { min_free: million, concurrency: 1 })
    const running = workUntil(master, worker, 1)
    await whenSaid('not claiming: ')
    expect(count(lines, 'given back: less than storage.min_free')).toBe(1)
    const { job, attempts } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'pending', retry_count: 0, error_message: null })
    expect(attempts).toMatchObject([{ outcome: 'released' }])
    disk.clear()
    await running
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 2, retry_count: 0 })
  })

  test('a job that waits for room is dropped soon after it was cancelled', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { space, log, lines, news, reserve, job } = openSpace(disk)
    await reserve(job('running', 5 * million))
    const master = openMaster({ base })
    const job_id = await master.addSource('a.mp4', await padded(3 * million))
    await master.remote.register({ worker_id: 'w', hostname: 'host', boot_id: 'b' })
    const claimed = await master.remote.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })
    if (!claimed) throw new Error('there is a job')
    const running = runJob(claimed, contextOf(master, space, log), new AbortController().signal)
    await news.until(() => count(lines, 'waits for the room') === 1)
    await master.api.cancelJob({ job_id })
    await running
    expect([count(lines, 'dropped: '), count(lines, 'converting')]).toEqual([1, 0])
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'cancelled', attempt: 1 })
  })

  test('an encode that fills it fails for now, leaves nothing over, and another worker completes it later', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { master, job_id } = await openOver(base)
    disk.fill(8192)
    await workUntil(master, openWorker(master.remote, { worker_id: 'first' }).worker, 1)
    const { job } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'failed', error_class: 'retryable', error_message: 'the disk is full' })
    expect(job.retry_at_ms).not.toBeNull()
    expect(readdirSync(join(disk.path, '.darkstream', 'work'))).toEqual([])
    disk.clear()
    master.clock.now = job.retry_at_ms ?? 0
    expect(await master.store.retryDue()).toBe(1)
    await workUntil(master, openWorker(master.remote, { worker_id: 'second' }).worker, 2)
    const { job: done } = await master.api.job({ job_id })
    expect(done).toMatchObject({ status: 'completed', attempt: 2, worker_id: 'second' })
    expect(Bun.file(done.output_path).size).toBe(done.output_size ?? 0)
    expect(readdirSync(disk.path).toSorted()).toEqual(['.darkstream', '.filler', 'a.mp4'])
  })

  test('what running encodes may still write counts as taken, and a job waits until it fits beside it', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '8m')
    const { space, lines, reserve, job } = openSpace(disk)
    const [first, second, third] = [job('a', 4 * million), job('b', 4 * million), job('c', 1000)]
    const order: string[] = []
    expect(await reserve(first)).toBeUndefined()
    const waiting = [
      reserve(second).then(() => order.push('b')),
      // It would fit, but what is smaller does not overtake.
      reserve(third).then(() => order.push('c')),
    ]
    await Bun.write(first.staging_path, Buffer.alloc(million))
    await Bun.sleep(1500)
    expect([order, await space.whyNone()]).toEqual([[], undefined])
    space.free(first)
    await Promise.all(waiting)
    expect(order).toEqual(['b', 'c'])
    expect(count(lines, 'waits for the room that running encodes have reserved: b')).toBe(1)
  })

  test('who waits for room stops at a signal, and what no end of an encode makes fit does not wait', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '8m')
    const { reserve, job } = openSpace(disk)
    await reserve(job('a', 4 * million))
    const stop = new AbortController()
    const waiting = reserve(job('b', 4 * million), stop.signal).catch((error: unknown) => error)
    stop.abort('stopped')
    expect(await waiting).toBe('stopped')
    expect(await reserve(job('c', 8 * million)).catch((error: unknown) => error)).toMatchObject({
      message: expect.stringContaining('(8.0 MB), but 8.4 MB is free'),
      report: { class: 'worker', step: 'stage' },
    })
    expect(await reserve(job('d', million))).toBeUndefined()
  })

  test('a full scratch folder is an obstacle too, and with 0 nothing is', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '1m')
    const log = createLog({ level: 'error', format: 'text', output_path: null })
    const options = { work_base: disk.path, mount_path: null, log }
    expect(await new Space({ ...options, min_free: 2 * million }).whyNone()).toBe(
      `less than storage.min_free (2.0 MB) is free in the scratch folder (${disk.path})`,
    )
    expect(await new Space({ ...options, min_free: 0 }).whyNone()).toBeUndefined()
  })
})
