import { describe, expect, test } from 'bun:test'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Api } from '../../src/contract/api.ts'
import { useClips } from '../support/clips.ts'
import { ffmpegsOf, place, startCluster, startMaster } from '../support/cluster.ts'
import { eventually, start, temporaryFolder } from '../support/program.ts'
import { lacksMounts, mountTinyDisk } from '../support/tiny-disk.ts'

const clips = useClips()

/** Registers one worker after the other until the master refuses; those it said yes to, and how it refused. */
async function registerUntilRefused(url: string) {
  const acknowledged: string[] = []
  for (;;) {
    const worker_id = `w-${acknowledged.length}`
    const response = await fetch(`${url}/api/worker/register`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ worker_id, boot_id: 'b', hostname: 'h'.repeat(200) }),
    })
    if (!response.ok) return { acknowledged, status: response.status, body: await response.json() }
    acknowledged.push(worker_id)
  }
}

async function workersOf(api: Api): Promise<string[]> {
  return (await api.workers({})).workers.map(({ id }) => id)
}

describe.skipIf(lacksMounts("what a master does when its database's disk is full"))("on a full database's disk", () => {
  test('calls answer 503, reading goes on, nothing acknowledged is lost, and service returns with space', async () => {
    using disk = mountTinyDisk(join(temporaryFolder(), 'disk'), '3m')
    const cluster = await startCluster({ DARKSTREAM_DATABASE_PATH: join(disk.path, 'jobs.db') })
    const placed = async (name: string) => place(await clips.path('plain.mp4'), join(cluster.source, name))
    await placed('a.mp4')
    await eventually(async () => (await cluster.api.status({})).pending === 1)
    disk.fill()
    const { acknowledged, status, body } = await registerUntilRefused(cluster.url)
    expect(status).toBe(503)
    expect(body).toEqual({ code: 'unavailable', message: "the queue's database cannot be written: its disk is full" })
    const claim = cluster.api.claim({ worker_id: 'w-0', boot_id: 'b', request_id: 'r' })
    expect(await claim.catch((error: unknown) => error)).toMatchObject({ code: 'unavailable' })
    await placed('b.mp4')
    expect(await workersOf(cluster.api)).toEqual(acknowledged.toSorted())
    expect(await cluster.api.status({})).toMatchObject({ pending: 1, processing: 0 })
    disk.clear()
    await cluster.api.register({ worker_id: 'x', boot_id: 'b', hostname: 'h' })
    await eventually(async () => (await cluster.api.status({})).pending === 2)
    cluster.worker('real')
    await eventually(async () => (await cluster.api.status({})).completed === 2)
    cluster.master.signal('SIGKILL')
    await cluster.master.ended
    await startMaster(cluster.environment, Number(new URL(cluster.url).port))
    await placed('c.mp4')
    await eventually(async () => (await cluster.api.status({})).completed === 3)
    expect(await workersOf(cluster.api)).toEqual([...acknowledged, 'real', 'x'].toSorted())
  }, 60_000)

  test('start keeps a result that its own full database cannot record, and the next start records it without an encode', async () => {
    const base = temporaryFolder()
    using disk = mountTinyDisk(join(base, 'disk'), '3m')
    const [source, output] = [join(base, 'in'), join(base, 'out')]
    mkdirSync(source)
    place(await clips.path('long.mp4'), join(source, 'long.mp4'))
    const environment = {
      DARKSTREAM_DATABASE_PATH: join(disk.path, 'jobs.db'),
      DARKSTREAM_STORAGE_CACHE_PATH: join(base, 'cache'),
      DARKSTREAM_WORKER_ID: 'one',
      DARKSTREAM_CONVERSION_PRESET: 'veryslow',
      DARKSTREAM_LOGGING_LEVEL: 'info',
    }
    const first = start(['start', source, output], { environment })
    const url = /http:\S+/.exec(await first.line(/at a time/))?.[0] ?? ''
    await eventually(async () => (await ffmpegsOf(output)).length > 0)
    disk.fill()
    await registerUntilRefused(url)
    await first.line(/cannot hand in the result, will go on trying: .*its disk is full/)
    first.signal('SIGINT')
    await first.line(/stopping: what is running is finished first/)
    first.signal('SIGINT')
    await first.ended
    expect(first.output()).toContain('the result waits in the outbox')
    disk.clear()
    const second = start(['start', source, output, '--once'], { environment })
    expect(await second.ended).toBe(0)
    expect(second.output()).toContain('1 results of an earlier run wait in the outbox')
    expect(second.output()).not.toContain('converting')
    expect(Bun.file(join(output, 'long.mp4')).size).toBeGreaterThan(0)
    expect(readdirSync(join(output, '.darkstream', 'work'))).toEqual([])
  }, 60_000)
})
