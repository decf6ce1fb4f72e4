import { expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { ffmpegsOf, place, probe, startCluster, startMaster } from '../support/cluster.ts'
import { eventually } from '../support/program.ts'

const clips = useClips()
const completed = (count: number, cluster: Awaited<ReturnType<typeof startCluster>>) =>
  eventually(async () => (await cluster.api.status({})).completed === count)

/** An encode that is still running when a test has seen it start. */
const slow = { DARKSTREAM_CONVERSION_PRESET: 'veryslow' }

test('one master and two workers convert every clip once, and what lies in the output folder is what was asked for', async () => {
  const cluster = await startCluster({ DARKSTREAM_CONVERSION_TARGET_RESOLUTION: '160x160' })
  const names = ['a.mp4', 'b.MKV', 'sub/c.mp4', 'sub/deep/d.mkv', "it's 100% 🎬.mp4", 'f.mp4', 'f.mkv', 'new\nline.mp4']
  for (const name of names) {
    place(await clips.path(/mkv/i.test(name) ? 'plain.mkv' : 'plain.mp4'), join(cluster.source, name))
  }
  const workers = [cluster.worker('one'), cluster.worker('two')]
  await completed(names.length, cluster)
  const { jobs } = await cluster.api.jobs({})
  expect(jobs.map((job) => job.attempt)).toEqual(names.map(() => 1))
  expect(new Set(jobs.map((job) => job.output_path)).size).toBe(names.length)
  expect(new Set(jobs.map((job) => job.worker_id))).toEqual(new Set(['one', 'two']))
  for (const job of jobs) {
    const found = await probe(job.output_path)
    expect(found).toMatchObject({ video: 'h264', size: '160x90', audio: 'aac' })
    expect(found.seconds).toBeCloseTo(1, 0)
    expect(job.output_size).toBe(Bun.file(job.output_path).size)
  }
  for (const worker of workers) worker.signal('SIGTERM')
  expect(await Promise.all(workers.map((worker) => worker.ended))).toEqual([0, 0])
  expect(readdirSync(join(cluster.output, '.darkstream', 'work'))).toEqual([])
  const { workers: left } = await cluster.api.workers({})
  expect(left.map((worker) => worker.status)).toEqual(['offline', 'offline'])
}, 60_000)

test('a worker that is killed in mid-encode leaves no ffmpeg behind, and the other worker completes its job', async () => {
  const cluster = await startCluster(slow)
  place(await clips.path('long.mp4'), join(cluster.source, 'long.mp4'))
  const victim = cluster.worker('victim')
  const ffmpeg = await eventually(async () => (await ffmpegsOf(cluster.output)).length > 0)
  expect(ffmpeg).toBe(true)
  victim.signal('SIGKILL')
  await victim.ended
  await eventually(async () => (await ffmpegsOf(cluster.output)).length === 0)
  cluster.worker('rescuer')
  await completed(1, cluster)
  const { jobs } = await cluster.api.jobs({})
  const [job] = jobs
  expect(job).toMatchObject({ worker_id: 'rescuer', attempt: 2, status: 'completed', retry_count: 0 })
  const { attempts } = await cluster.api.job({ job_id: job?.id ?? '' })
  expect(attempts.map(({ worker_id, outcome }) => ({ worker_id, outcome }))).toEqual([
    { worker_id: 'victim', outcome: 'lost' },
    { worker_id: 'rescuer', outcome: 'completed' },
  ])
  expect(readdirSync(join(cluster.output, '.darkstream', 'work'))).toEqual([])
}, 90_000)

test('a worker that was killed and started again under its name gets rid of its old claim at once, not after the lease', async () => {
  const cluster = await startCluster({ ...slow, DARKSTREAM_QUEUE_WORKER_TIMEOUT: '1h' })
  place(await clips.path('long.mp4'), join(cluster.source, 'long.mp4'))
  const first = cluster.worker('same')
  await eventually(async () => (await ffmpegsOf(cluster.output)).length > 0)
  first.signal('SIGKILL')
  await first.ended
  const second = cluster.worker('same')
  await second.line(/gave back 1 jobs of an earlier run/)
  await second.line(/converting/)
  const { jobs } = await cluster.api.jobs({ status: 'processing' })
  expect(jobs[0]).toMatchObject({ worker_id: 'same', attempt: 2 })
}, 60_000)

test('cancelling a running job stops its ffmpeg, removes its traces and leaves it cancelled', async () => {
  const cluster = await startCluster(slow)
  place(await clips.path('long.mp4'), join(cluster.source, 'long.mp4'))
  const worker = cluster.worker('one')
  await eventually(async () => (await ffmpegsOf(cluster.output)).length > 0)
  const { jobs } = await cluster.api.jobs({})
  await cluster.api.cancelJob({ job_id: jobs[0]?.id ?? '' })
  await eventually(async () => (await ffmpegsOf(cluster.output)).length === 0)
  await worker.line(/dropped: .* it is cancelled/)
  expect(await cluster.api.status({})).toMatchObject({ cancelled: 1, processing: 0, pending: 0, failed: 0 })
  expect(readdirSync(join(cluster.output, '.darkstream', 'work'))).toEqual([])
  expect(existsSync(join(cluster.output, 'long.mp4'))).toBe(false)
}, 60_000)

test('a worker finishes its job on SIGTERM, and gives it back at once on a second one', async () => {
  const cluster = await startCluster({ DARKSTREAM_QUEUE_WORKER_TIMEOUT: '1h' })
  place(await clips.path('long.mp4'), join(cluster.source, 'a.mp4'))
  const polite = cluster.worker('polite')
  await polite.line(/converting/)
  polite.signal('SIGTERM')
  expect(await polite.ended).toBe(0)
  expect(await cluster.api.status({})).toMatchObject({ completed: 1, processing: 0 })
  place(await clips.path('long.mp4'), join(cluster.source, 'b.mp4'))
  const hasty = cluster.worker('hasty')
  await hasty.line(/converting/)
  hasty.signal('SIGTERM')
  await hasty.line(/stopping: finishing what is running \(1\)/)
  hasty.signal('SIGTERM')
  expect(await hasty.ended).toBe(0)
  expect(await ffmpegsOf(cluster.output)).toEqual([])
  const { jobs } = await cluster.api.jobs({ search: 'b.mp4' })
  expect(['pending', 'completed']).toContain(jobs[0]?.status ?? '')
}, 60_000)

test('a master that is killed and started again goes on: its worker delivers, nothing is lost or done twice', async () => {
  const cluster = await startCluster({ DARKSTREAM_SERVER_HOST: '127.0.0.1' })
  for (const name of ['a.mp4', 'b.mp4', 'c.mp4']) place(await clips.path('long.mp4'), join(cluster.source, name))
  const worker = cluster.worker('one')
  await worker.line(/converting/)
  cluster.master.signal('SIGKILL')
  await cluster.master.ended
  await worker.line(/will go on trying/)
  await startMaster(cluster.environment, Number(new URL(cluster.url).port))
  await completed(3, cluster)
  const { jobs } = await cluster.api.jobs({})
  expect(jobs.map((job) => job.attempt)).toEqual([1, 1, 1])
}, 60_000)

test('a source that changes while it is converted is converted again, and one that is added later is found', async () => {
  const cluster = await startCluster(slow)
  const path = join(cluster.source, 'a.mp4')
  place(await clips.path('long.mp4'), path)
  cluster.worker('one')
  await eventually(async () => (await ffmpegsOf(cluster.output)).length > 0)
  place(await clips.path('plain.mp4'), path)
  place(await clips.path('plain.mp4'), join(cluster.source, 'late.mp4'))
  await completed(2, cluster)
  const { jobs } = await cluster.api.jobs({ search: 'a.mp4' })
  const { attempts } = await cluster.api.job({ job_id: jobs[0]?.id ?? '' })
  expect(attempts.at(-1)?.outcome).toBe('completed')
  expect(attempts.length).toBeGreaterThan(1)
  expect((await probe(join(cluster.output, 'a.mp4'))).size).toBe('320x180')
}, 90_000)
