import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import type { Job } from '../../../src/contract/job.ts'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/queue/store.ts'
import { there } from '../cases/world.ts'
import { began, broken, done, type OriginalJob, originalJob, writeOriginalDatabase } from './original-database.ts'
import { temporaryFolder } from './temporary.ts'

/** A queue after three starts: what was done, what failed, what a dead worker left, clashes, and odd values. */
export const jobs: OriginalJob[] = [
  originalJob('done.mkv', 0, done),
  originalJob('done.mkv', 1),
  originalJob('done.mkv', 2),
  originalJob('done twice.mkv', 0, done),
  originalJob('done twice.mkv', 1, done),
  originalJob('broken.mkv', 0, broken),
  originalJob('broken.mkv', 1, { ...broken, retry_count: 0 }),
  originalJob('broken.mkv', 2),
  originalJob('running.mkv', 0, began),
  originalJob('running.mkv', 1, { status: 'failed' }),
  originalJob('running.mkv', 2),
  originalJob('nameless.mkv', 0, { ...began, worker_id: '' }),
  originalJob('new.mkv', 2),
  originalJob('twin.mkv', 0),
  originalJob('twin.mov', 0),
  originalJob('half.mkv', 0, done),
  originalJob('half.mov', 0),
  originalJob('half.avi', 0, broken),
  originalJob('odd.mkv', 0, { status: 'queued', retry_count: null, max_retries: null, started_at: '', worker_id: '' }),
  originalJob('odder.mkv', 0, { status: '', completed_at: '', error_message: '' }),
]

/** A database of the original that ours has opened, on a held clock; `await using` removes it. */
export interface UpgradedQueue extends AsyncDisposable {
  readonly path: string
  readonly store: Store
  advance: (ms: number) => void
  /** Opens it once more, after a close. */
  open: () => Store
  /** The ids of the jobs that count: of several for one file, one. */
  liveIds: () => string[]
  /** The job that counts of the file `/in/NAME`. */
  live: (name: string) => Promise<Job>
}

export async function upgrade(rows: readonly OriginalJob[]): Promise<UpgradedQueue> {
  const folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  writeOriginalDatabase(path, rows)
  let now_ms = Date.parse('2026-03-01T12:00:00Z')
  const open = () => openSqliteStore({ path, max_retries: 3, clock: () => now_ms })
  const store = open()
  return {
    path,
    store,
    open,
    advance(ms) {
      now_ms += ms
    },
    liveIds: () => liveIds(path),
    async live(name) {
      const ids = liveIds(path)
      const { jobs: found } = await store.jobs({ limit: 1000, search: `/in/${name}` })
      return there(found.find((job) => job.source_path === `/in/${name}` && ids.includes(job.id)))
    },
    async [Symbol.asyncDispose]() {
      await store.close()
      await folder.remove()
    },
  }
}

function liveIds(path: string): string[] {
  const db = new Database(path, { readonly: true })
  const rows = db.query<{ id: string }, []>('SELECT id FROM jobs WHERE duplicate_of IS NULL').all()
  db.close()
  return rows.map((row) => row.id)
}
