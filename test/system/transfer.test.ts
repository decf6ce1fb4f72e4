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
