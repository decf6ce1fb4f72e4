import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { failure, failureReport, keyOf, lease_ms, there } from '../cases/world.ts'
import { temporaryFolder } from './temporary.ts'

const migrations = join(import.meta.dir, '../../../src/queue/sqlite/migrations')

/** What the program of schema 3 left: two jobs pending, one in a worker's hands, one failed there as not for it. */
async function schemaThree(path: string): Promise<void> {
  const db = new Database(path, { create: true })
  db.run('PRAGMA journal_mode = WAL')
  for (const name of ['0001_original.sql', '0002_attempts.sql', '0003_ran_on.sql']) {
    db.run(await Bun.file(join(migrations, name)).text())
  }
  db.run('PRAGMA application_id = 0x6461726b')
  db.run('PRAGMA user_version = 3')
  const insert =
    db.query(`INSERT INTO jobs (id, source_path, output_path, status, created_at, worker_id, attempt, error_class,
      retry_at_ms, lease_expires_ms, claim_request_id) VALUES ($id, '/in/' || $id, '/out/' || $id, $status,
      '2026-01-01T00:00:00.000Z', $worker_id, $attempt, $error_class, $retry_at_ms, $lease_expires_ms, $request_id)`)
  const nothing = { $worker_id: null, $attempt: 0, $error_class: null, $retry_at_ms: null }
  const pending = { ...nothing, $status: 'pending', $lease_expires_ms: null, $request_id: null }
  insert.run({ ...pending, $id: 'first' })
  insert.run({ ...pending, $id: 'second' })
  const held = { $status: 'processing', $worker_id: 'w', $attempt: 1, $lease_expires_ms: 1000, $request_id: 'r' }
  insert.run({ ...nothing, ...held, $id: 'running' })
  const failed = { $status: 'failed', $worker_id: 'w', $attempt: 1, $error_class: 'worker', $retry_at_ms: 5 }
  insert.run({ ...pending, ...failed, $id: 'failed' })
  db.run(`INSERT INTO workers (id, hostname, last_heartbeat, boot_id) VALUES
    ('w', 'rack-1', '2026-01-01T00:00:00.000Z', 'boot'), ('v', 'rack-2', '2026-01-01T00:00:00.000Z', 'boot')`)
  db.close()
}

test('a database of schema 3 is upgraded in place: all may try every job, and nobody is set aside', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await schemaThree(path)
  const now_ms = Date.parse('2026-01-01T00:00:01Z')
  const store = openSqliteStore({ path, max_retries: 3, clock: () => now_ms })
  expect(await store.setAside()).toEqual([])
  expect(await store.retryDue()).toBe(1)
  expect((await store.totals()).by_status).toMatchObject({ pending: 3, processing: 1 })
  const claim = async (worker_id: string) =>
    there(await store.claim({ worker_id, request_id: crypto.randomUUID(), lease_ms }))
  const first = await claim('w')
  expect(first.id).toBe('first')
  const report = { ...failureReport, class: 'worker' } as const
  const refusal = { ...failure('no such encoder'), report, heard_since_ms: now_ms - lease_ms }
  expect(await store.fail(keyOf(first), refusal)).toMatchObject({ status: 'pending' })
  expect([(await claim('w')).id, (await claim('w')).id]).toEqual(['second', 'failed'])
  expect((await claim('v')).id).toBe('first')
  await store.close()
  const db = new Database(path, { readonly: true })
  expect(db.query('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  db.close()
})
