import { expect, test } from 'bun:test'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { place, probe, startCluster, startMaster } from '../support/cluster.ts'
import { eventually } from '../support/program.ts'

const clips = useClips()

test('a worker with no way to the master’s folders converts with the same results as one on the mount', async () => {
  const cluster = await startCluster({ DARKSTREAM_STORAGE_MIN_FREE: '0' })
  place(await clips.path('plain.mp4'), join(cluster.source, 'a', 'one.mp4'))
  place(await clips.path('plain.mp4'), join(cluster.source, 'b', 'two ü #1%.mp4'))
  const nowhere = `${cluster.source} => /nowhere/source, ${cluster.output} => /nowhere/output`
  const worker = cluster.worker('far', { DARKSTREAM_STORAGE_PATH_MAP: nowhere })
  await worker.line(/no shared storage: the folder for results is not here/)
  const jobs = await eventually(async () => {
    const found = (await cluster.api.jobs({ status: 'completed' })).jobs
    return found.length === 2 && found
  })
  for (const job of jobs) {
    expect(job.ran_on?.files).toBe('http')
    expect(Bun.file(job.output_path).size).toBe(job.output_size ?? 0)
    expect((await probe(job.output_path)).video).toBe('h264')
  }
}, 60_000)

test('a worker on the mount proves it, and leaves nothing of the proof', async () => {
  const cluster = await startCluster()
  place(await clips.path('plain.mp4'), join(cluster.source, 'one.mp4'))
  const worker = cluster.worker('near')
  await worker.line(/the folder for results is the master’s own/)
  const [job] = await eventually(async () => {
    const found = (await cluster.api.jobs({ status: 'completed' })).jobs
    return found.length === 1 && found
  })
  expect(job?.ran_on?.files).toBe('mount')
  expect(readdirSync(join(cluster.output, '.darkstream', 'work'))).toEqual([])
}, 60_000)

test('a master killed while a source comes and while a result goes, and a worker killed meanwhile: all is converted once', async () => {
  const cluster = await startCluster({ DARKSTREAM_STORAGE_MIN_FREE: '0', DARKSTREAM_QUEUE_WORKER_TIMEOUT: '1h' })
  place(await clips.path('long.mp4'), join(cluster.source, 'one.mp4'))
  const slow = { DARKSTREAM_STORAGE_MODE: 'http', DARKSTREAM_STORAGE_MAX_BANDWIDTH: '2M' }
  const worker = cluster.worker('far', slow)
  const sources = join(dirname(cluster.source), 'cache', 'worker-far', 'sources')
  await eventually(async () => existsSync(sources) && readdirSync(sources).some((name) => name.endsWith('.part')))
  cluster.master.signal('SIGKILL')
  await cluster.master.ended
  const port = Number(new URL(cluster.url).port)
  const { master } = await startMaster(cluster.environment, port)
  await worker.line(/the source came/)
  const work = join(cluster.output, '.darkstream', 'work')
  const staged = async () =>
    existsSync(work) && readdirSync(work).some((name) => existsSync(join(work, name, 'result.mp4')))
  await eventually(staged)
  master.signal('SIGKILL')
  worker.signal('SIGKILL')
  await Promise.all([master.ended, worker.ended])
  await startMaster(cluster.environment, port)
  const again = cluster.worker('far', { ...slow, DARKSTREAM_STORAGE_MAX_BANDWIDTH: '100M' })
  await again.line(/handed in: completed/)
  const { jobs } = await cluster.api.jobs({})
  expect(jobs).toMatchObject([{ status: 'completed', attempt: 1, ran_on: { files: 'http' } }])
  expect((await probe(jobs[0]?.output_path ?? '')).video).toBe('h264')
  expect(again.output()).not.toContain('converting')
  expect(readdirSync(work)).toEqual([])
}, 120_000)

test('what a worker that was killed had half of goes when others need its room', async () => {
  const cluster = await startCluster()
  const clip = await clips.path('long.mp4')
  const max_cache = Math.floor(Bun.file(clip).size * 1.2)
  place(clip, join(cluster.source, 'one.mp4'))
  const small = { DARKSTREAM_STORAGE_MODE: 'http', DARKSTREAM_STORAGE_MAX_CACHE: String(max_cache) }
  const worker = cluster.worker('far', { ...small, DARKSTREAM_STORAGE_MAX_BANDWIDTH: '2M' })
  const sources = join(dirname(cluster.source), 'cache', 'worker-far', 'sources')
  const halves = () => (existsSync(sources) ? readdirSync(sources).filter((name) => name.endsWith('.part')) : [])
  // Enough of it that it would be in the way.
  await eventually(async () => halves().some((name) => Bun.file(join(sources, name)).size > max_cache * 0.3))
  worker.signal('SIGKILL')
  await worker.ended
  const [job] = (await cluster.api.jobs({})).jobs
  await cluster.api.cancelJob({ job_id: job?.id ?? '' })
  for (const name of ['two.mp4', 'three.mp4']) place(clip, join(cluster.source, name))
  cluster.worker('far', small)
  const done = await eventually(async () => {
    const found = (await cluster.api.jobs({ status: 'completed' })).jobs
    return found.length === 2 && found
  })
  expect(done.map(({ attempt, ran_on }) => [attempt, ran_on?.files])).toEqual([1, 1].map((first) => [first, 'http']))
  expect(halves()).toEqual([])
  const bytes = readdirSync(sources).map((name) => Bun.file(join(sources, name)).size)
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(max_cache)
}, 60_000)
