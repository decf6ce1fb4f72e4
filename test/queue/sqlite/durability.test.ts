import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/queue/store.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { idOf, refusal, source, there } from '../cases/world.ts'
import type { Acknowledged } from './acting-child.ts'
import { temporaryFolder } from './temporary.ts'

const open = (path: string) => openSqliteStore({ path, max_retries: 3, clock: systemClock })

test('what was acknowledged is there when the master was killed in the middle of its work', async () => {
  await using folder = await temporaryFolder({ on_disk: true })
  const path = join(folder.path, 'jobs.db')
  for (let kill = 1; kill <= 3; kill++) {
    const acknowledged = await killedAfter(path, 40 * kill + kill)
    const store = open(path)
    await expectThere(store, acknowledged)
    await store.close()
  }
})

test('while one master has the database, another process is refused with a sentence, and gets it after a kill', async () => {
  await using folder = await temporaryFolder({ on_disk: true })
  const path = join(folder.path, 'jobs.db')
  await killedAfter(path, 5, async () => {
    expect(await refusal(opened(path))).toMatchObject({
      code: 'unavailable',
      message: `${path} is in use by another darkstream master: stop it, or name another database.path`,
    })
  })
  await open(path).close()
})

test('a closed queue opens again with all that it held, in a folder that had to be made', async () => {
  await using folder = await temporaryFolder({ on_disk: true })
  const path = join(folder.path, 'a new folder', 'with another', 'jobs.db')
  const first = open(path)
  await first.addSources([source('a'), source('b')])
  const { jobs } = await first.jobs({ limit: 10 })
  await first.close()
  const second = open(path)
  expect((await second.jobs({ limit: 10 })).jobs).toEqual(jobs)
  expect((await second.totals()).by_status.pending).toBe(2)
  expect((await second.job(idOf('a')))?.status).toBe('pending')
  await second.close()
})

async function opened(path: string): Promise<Store> {
  return open(path)
}

/** Lets a child act on a database until it said yes so many times, then kills it with -9; all that it said. */
async function killedAfter(path: string, lines: number, beforeKill = async () => {}): Promise<Acknowledged[]> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'acting-child.ts'), path], {
    stdout: 'pipe',
    stderr: 'inherit',
  })
  let text = ''
  let isKilled = false
  const decoder = new TextDecoder()
  for await (const bytes of child.stdout) {
    text += decoder.decode(bytes, { stream: true })
    if (isKilled || text.split('\n').length <= lines) continue
    isKilled = true
    await beforeKill()
    child.kill('SIGKILL')
  }
  await child.exited
  expect(child.signalCode).toBe('SIGKILL')
  const whole = text.split('\n').slice(0, -1)
  expect(whole.length).toBeGreaterThanOrEqual(lines)
  return whole.map((said) => JSON.parse(said) as Acknowledged)
}

async function expectThere(store: Store, acknowledged: readonly Acknowledged[]): Promise<void> {
  for (const { act, job_id, attempt } of acknowledged) {
    const job = there(await store.job(job_id))
    expect(job.attempt).toBeGreaterThanOrEqual(attempt)
    if (act === 'added' || act === 'claimed') continue
    const kept = (await store.attempts(job_id)).find((ended) => ended.attempt === attempt)
    expect(kept?.outcome).toBe(act)
  }
}
