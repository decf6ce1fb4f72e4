import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { useClips } from '../support/clips.ts'
import { type Cluster, ffmpegsOf, place, startCluster, startMaster } from '../support/cluster.ts'
import { eventually, start } from '../support/program.ts'

const clips = useClips()

/** An encode that is still running when a test has seen it start, and a lease that outlives both restarts. */
const slow = { DARKSTREAM_CONVERSION_PRESET: 'veryslow', DARKSTREAM_QUEUE_WORKER_TIMEOUT: '1h' }

/** A cluster whose master was killed in mid-encode and whose worker has ended the encode since. */
async function encodedWithoutMaster() {
  const cluster = await startCluster(slow)
  place(await clips.path('long.mp4'), join(cluster.source, 'long.mp4'))
  const worker = cluster.worker('one')
  await eventually(async () => (await ffmpegsOf(cluster.output)).length > 0)
  cluster.master.signal('SIGKILL')
  await cluster.master.ended
  await worker.line(/cannot hand in the result, will go on trying/)
  return { cluster, worker, folder: join(dirname(cluster.source), 'cache', 'worker-one', 'outbox') }
}

/** Starts master and worker again; the job must be completed by its first attempt, without another encode. */
async function expectDelivered(cluster: Cluster, folder: string): Promise<void> {
  expect(readdirSync(folder)).toHaveLength(1)
  await startMaster(cluster.environment, Number(new URL(cluster.url).port))
  const again = cluster.worker('one')
  await again.line(/1 results of an earlier run wait in the outbox/)
  await again.line(/handed in: completed/)
  const { jobs } = await cluster.api.jobs({})
  expect(jobs).toMatchObject([{ status: 'completed', worker_id: 'one', attempt: 1 }])
  expect((await cluster.api.job({ job_id: jobs[0]?.id ?? '' })).attempts).toHaveLength(1)
  expect(Bun.file(join(cluster.output, 'long.mp4')).size).toBe(jobs[0]?.output_size ?? 0)
  expect(again.output()).not.toContain('converting')
  expect(readdirSync(folder)).toEqual([])
  expect(readdirSync(join(cluster.output, '.darkstream', 'work'))).toEqual([])
}

test('master killed in mid-encode, worker killed after it: both started again, the result is delivered without a second encode', async () => {
  const { cluster, worker, folder } = await encodedWithoutMaster()
  worker.signal('SIGKILL')
  await worker.ended
  await expectDelivered(cluster, folder)
}, 60_000)

test('a worker that is told to end while the master is away says that the result waits, and delivers it at its next start', async () => {
  const { cluster, worker, folder } = await encodedWithoutMaster()
  worker.signal('SIGTERM')
  await worker.line(/stopping: finishing what is running \(1\)/)
  worker.signal('SIGTERM')
  expect(await worker.ended).toBe(0)
  expect(worker.output()).toContain('the result waits in the outbox and will be delivered at the next start')
  await expectDelivered(cluster, folder)
}, 60_000)

test('a worker of another id leaves the result alone, and so does one that works for another master', async () => {
  const { cluster, worker, folder } = await encodedWithoutMaster()
  worker.signal('SIGKILL')
  await worker.ended
  const other = cluster.worker('two')
  await other.line(/cannot register with the master/)
  other.signal('SIGTERM')
  await other.ended
  const elsewhere = start(['worker', '--master-url', 'http://127.0.0.1:9', '--id', 'one'], {
    environment: { DARKSTREAM_STORAGE_CACHE_PATH: join(dirname(cluster.source), 'cache') },
  })
  await elsewhere.line(/holds results for another to deliver: one for http:/)
  await elsewhere.line(/cannot register with the master/)
  elsewhere.signal('SIGTERM')
  await elsewhere.ended
  await expectDelivered(cluster, folder)
}, 60_000)
