import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { place, probe, startCluster } from '../support/cluster.ts'
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
