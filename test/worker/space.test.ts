import { describe, expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '../../src/contract/api.ts'
import { Space } from '../../src/worker/space.ts'
import { useClips } from '../support/clips.ts'
import { openMaster } from '../support/master.ts'
import { News } from '../support/news.ts'
import { temporaryFolder } from '../support/program.ts'
import { lacksMounts, mountTinyDisk } from '../support/tiny-disk.ts'
import { openWorker, workUntil } from './open-worker.ts'

const clips = useClips()
const million = 1_000_000

/** A master with one source whose results go to `output` in the folder. */
async function openOver(base: string) {
  const master = openMaster({ base })
  const job_id = await master.addSource('a.mp4', await Bun.file(await clips.path('plain.mp4')).bytes())
  return { master, job_id, source_size: (await master.api.job({ job_id })).job.source_size ?? 0 }
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

  test('a job that does not fit is given back unharmed, and nothing is claimed until it would fit', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'output'), '8m')
    const { master, job_id, source_size } = await openOver(base)
    disk.fill(million + source_size / 2)
    const { worker, lines, whenSaid } = openWorker(master.remote, { min_free: million, concurrency: 1 })
    const running = workUntil(master, worker, 1)
    await whenSaid('not claiming: ')
    expect(lines.some((line) => line.includes('given back: ') && line.includes('needs more room'))).toBe(true)
    const { job, attempts } = await master.api.job({ job_id })
    expect(job).toMatchObject({ status: 'pending', retry_count: 0, error_message: null })
    expect(attempts).toMatchObject([{ outcome: 'released' }])
    disk.clear()
    await running
    expect((await master.api.job({ job_id })).job).toMatchObject({ status: 'completed', attempt: 2, retry_count: 0 })
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

  test('what running encodes may still write counts as taken, what they have written does not count twice', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '8m')
    const space = new Space({ work_base: temporaryFolder(), mount_path: disk.path, min_free: million })
    const job = (name: string) => ({
      source_path: name,
      source_size: 4 * million,
      staging_path: join(disk.path, name, 'result.mp4'),
    })
    const [first, second] = [job('a'), job('b')]
    const refusals = await Promise.all([space.reserve(first), space.reserve(second)])
    expect(refusals).toEqual([undefined, expect.stringContaining('b (4.0 MB) needs more room')])
    expect(await space.whyFull()).toContain('b (4.0 MB) needs more room')
    await Bun.write(first.staging_path, Buffer.alloc(million))
    expect(await space.whyFull()).toContain('b (4.0 MB) needs more room')
    space.free(first)
    expect(await space.whyFull()).toBeUndefined()
    expect(await space.reserve(second)).toBeUndefined()
  })

  test('a full scratch folder is an obstacle too, and with 0 nothing is', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '1m')
    const options = { work_base: disk.path, mount_path: null }
    expect(await new Space({ ...options, min_free: 2 * million }).whyFull()).toBe(
      `less than storage.min_free (2.0 MB) is free in the scratch folder (${disk.path})`,
    )
    expect(await new Space({ ...options, min_free: 0 }).whyFull()).toBeUndefined()
  })
})
