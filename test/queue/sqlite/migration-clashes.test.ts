import { expect, test } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import { keyOf, lease_ms, result } from '../cases/world.ts'
import { began, done, originalJob } from './original-database.ts'
import { jobs, type UpgradedQueue, upgrade } from './upgrade.ts'

test('of several jobs for one file the furthest along is the one that lives on, the newest of equals', async () => {
  await using queue = await upgrade(jobs)
  const living = await Promise.all(
    ['done.mkv', 'done twice.mkv', 'broken.mkv', 'running.mkv', 'new.mkv'].map(async (name) => {
      const job = await queue.live(name)
      return [job.status, job.id]
    }),
  )
  expect(living).toEqual([
    ['completed', 'done.mkv_20251107205659'],
    ['completed', 'done twice.mkv_20251108080000'],
    ['failed', 'broken.mkv_20251108080000'],
    ['processing', 'running.mkv_20251107205659'],
    ['pending', 'new.mkv_20251109093000'],
  ])
  expect(queue.liveIds()).toHaveLength(new Set(jobs.map((job) => job.source_path)).size)
})

test('a job that another one for its file replaced says so, and no act brings it back', async () => {
  await using queue = await upgrade(jobs)
  expect(await queue.store.job('done.mkv_20251108080000')).toMatchObject({
    status: 'cancelled',
    error_message: 'duplicate of job done.mkv_20251107205659',
  })
  const replaced = jobs.map((job) => job.id).filter((id) => !queue.liveIds().includes(id))
  await queue.store.retryFailed(1000)
  for (const id of replaced) {
    expect(await queue.store.retry(id)).toBeUndefined()
    expect(await queue.store.requeue(id)).toBeUndefined()
    expect((await queue.store.job(id))?.status).toBeOneOf(['completed', 'failed', 'cancelled'])
  }
})

test('an output that a worker of the original may have begun or made counts as ours', async () => {
  await using queue = await upgrade(jobs)
  for (const name of ['done.mkv', 'running.mkv', 'broken.mkv', 'nameless.mkv']) {
    expect({ name, ...(await queue.store.publication((await queue.live(name)).id)) }).toMatchObject({
      name,
      published_size: -1,
    })
  }
  expect(await queue.store.publication((await queue.live('new.mkv')).id)).toMatchObject({ published_size: null })
})

test('every unfinished job has an output that no other has', async () => {
  await using queue = await upgrade(jobs)
  expect(await outputsOf(queue, 'twin.mkv', 'twin.mov')).toEqual(['/out/twin.mp4', '/out/twin.mov.mp4'])
  expect(await outputsOf(queue, 'half.mkv', 'half.mov', 'half.avi')).toEqual([
    '/out/half.mp4',
    '/out/half.mov.mp4',
    '/out/half.avi.mp4',
  ])
  await expectOutputsApart(queue)
})

test('an output that was moved aside for one file does not meet the output of a third', async () => {
  await using queue = await upgrade([
    originalJob('a.mkv', 0),
    originalJob('a.mov', 0),
    originalJob('a.mov.avi', 0),
    originalJob('b.mov.avi', 0, done),
    originalJob('b.mkv', 0),
    originalJob('b.mov', 0),
  ])
  await expectOutputsApart(queue)
})

test('two jobs that dead workers were writing into one output do not share it any more', async () => {
  await using queue = await upgrade([
    originalJob('a.mkv', 0, began),
    originalJob('a.mov', 0, began),
    originalJob('a.avi', 0),
  ])
  await queue.store.renewAll(lease_ms)
  queue.advance(lease_ms)
  await queue.store.reap()
  await expectOutputsApart(queue)
})

test('all that is left to do is claimed once, the oldest first', async () => {
  await using queue = await upgrade(jobs)
  await queue.store.retryFailed(1000)
  const claimed: Job[] = []
  for (;;) {
    const job = await queue.store.claim({ worker_id: 'alice', request_id: `${claimed.length}`, lease_ms })
    if (!job) break
    claimed.push(job)
    await queue.store.complete(keyOf(job), result)
  }
  expect(new Set(claimed.map((job) => job.source_path)).size).toBe(claimed.length)
  expect(claimed.map((job) => job.created_at)).toEqual(claimed.map((job) => job.created_at).toSorted())
  expect((await queue.store.totals()).by_status).toMatchObject({ pending: 0, failed: failedDuplicates })
})

/** Of the jobs above: those that failed and that another job for their file replaced. */
const failedDuplicates = 2

async function outputsOf(queue: UpgradedQueue, ...names: string[]): Promise<string[]> {
  return Promise.all(names.map(async (name) => (await queue.live(name)).output_path))
}

/** No unfinished job's output is the output of any other job that counts. */
async function expectOutputsApart(queue: UpgradedQueue): Promise<void> {
  const ids = queue.liveIds()
  const all = (await queue.store.jobs({ limit: 1000 })).jobs.filter((job) => ids.includes(job.id))
  const shared = all
    .filter((job) => job.status !== 'completed')
    .filter((job) => all.some((other) => other.id !== job.id && other.output_path === job.output_path))
  expect(shared.map((job) => [job.source_path, job.output_path])).toEqual([])
}
