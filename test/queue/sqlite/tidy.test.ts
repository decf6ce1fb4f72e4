import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/queue/store.ts'
import { keyOf, lease_ms, result, source, there } from '../cases/world.ts'
import { temporaryFolder } from './temporary.ts'

const open = (path: string) => openSqliteStore({ path, max_retries: 3, clock: () => 0 })
const logOf = (path: string) => statSync(`${path}-wal`).size
/** As much as SQLite lets the log grow to when nobody reads, and one step more. */
const shortLog = 5_000_000

test('through tens of thousands of steps the log of the database stays short', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = open(path)
  let longest = 0
  await store.addSources(Array.from({ length: 1000 }, (_, index) => source(`film ${index}`)))
  for (let round = 0; round < 10; round++) {
    await convertAll(store, 1000)
    longest = Math.max(longest, logOf(path))
  }
  expect(longest).toBeLessThan(shortLog)
  expect(await store.tidy()).toBeUndefined()
  await store.close()
}, 60_000)

test('what the log grew to while another program read the database is given back once it has ended', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = open(path)
  await store.addSources(Array.from({ length: 1000 }, (_, index) => source(`film ${index}`)))
  const reader = new Database(path, { readonly: true })
  reader.run('BEGIN')
  const read = reader.prepare<{ jobs: number }, []>("SELECT count(*) AS jobs FROM jobs WHERE status = 'pending'")
  expect(read.get()).toEqual({ jobs: 1000 })
  while (logOf(path) < 20_000_000) {
    await convertAll(store, 500)
    await store.tidy()
  }
  expect(read.get()).toEqual({ jobs: 1000 })
  read.finalize()
  reader.run('COMMIT')
  reader.close()
  expect(await store.tidy()).toBeUndefined()
  expect(logOf(path)).toBe(0)
  // And all goes on as before.
  await convertAll(store, 10)
  const other = new Database(path, { readonly: true })
  expect(other.query("SELECT count(*) AS jobs FROM jobs WHERE status = 'pending'").get()).toEqual({ jobs: 1000 })
  other.close()
  await store.close()
}, 60_000)

/** Claims and completes so many jobs, one after the other, and queues each again. */
async function convertAll(store: Store, jobs: number): Promise<void> {
  for (let count = 0; count < jobs; count++) {
    const job = there(await store.claim({ worker_id: 'alice', request_id: null, lease_ms }))
    await store.complete(keyOf(job), result)
    await store.requeue(job.id)
  }
}
