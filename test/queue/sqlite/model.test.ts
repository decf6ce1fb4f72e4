import { copyFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll } from 'bun:test'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { keep_history_ms } from '../cases/world.ts'
import { modelTest } from '../model/model-test.ts'
import { temporaryFolder } from './temporary.ts'

/** A migrated database without jobs: to migrate one a sequence would take most of the time. */
const empty = await temporaryFolder()
await openSqliteStore({ path: join(empty.path, 'jobs.db'), max_retries: 3, clock: () => 0 }).close()
afterAll(empty.remove)

modelTest('the SQLite store', async () => {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await copyFile(join(empty.path, 'jobs.db'), path)
  return {
    open: async (clock) => openSqliteStore({ path, max_retries: 3, keep_history_ms, clock }),
    remove: folder.remove,
  }
})
