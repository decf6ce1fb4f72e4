import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { keep_history_ms } from '../cases/world.ts'
import { storeCases } from '../store-cases.ts'
import { temporaryFolder } from './temporary.ts'

storeCases('the SQLite store', async () => {
  const folder = await temporaryFolder()
  return {
    open: async (clock) =>
      openSqliteStore({ path: join(folder.path, 'jobs.db'), max_retries: 3, keep_history_ms, clock }),
    remove: folder.remove,
  }
})
