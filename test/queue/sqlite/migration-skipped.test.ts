import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { settings } from '../../pipeline/samples.ts'
import { idOf, keyOf, lease_ms, result, skipped, source, there } from '../cases/world.ts'
import { temporaryFolder } from './temporary.ts'

const migrations = join(import.meta.dir, '../../../src/queue/sqlite/migrations')
const open = (path: string) => openSqliteStore({ path, max_retries: 3, clock: () => 0 })

/** What the program of schema 5 left: a job of each state, and an attempt that a later one has followed. */
async function schemaFive(path: string): Promise<void> {
  const db = new Database(path, { create: true })
  db.run('PRAGMA journal_mode = WAL')
  const names = ['0001_original.sql', '0002_attempts.sql', '0003_ran_on.sql', '0004_standings.sql', '0005_history.sql']
  for (const name of names) db.run(await Bun.file(join(migrations, name)).text())
  db.run('PRAGMA application_id = 0x6461726b')
  db.run('PRAGMA user_version = 5')
  const insert = db.query(`INSERT INTO jobs (id, source_path, output_path, status, created_at, worker_id, attempt,
      output_size, source_size, source_mtime_ms, notes, ran_on, lease_expires_ms, claim_request_id)
    VALUES ($id, '/in/' || $id, '/out/' || $id, $id, '2026-01-01T00:00:00.000Z', 'w', 1, 400, 1000, 1, '["a note"]',
      '{"decode":"cpu","filter":"cpu","encoder":"libx264","device":null,"fell_back":false,"reasons":[]}', 1, 'r')`)
  for (const $id of ['pending', 'processing', 'completed', 'failed', 'cancelled']) insert.run({ $id })
  db.run(`INSERT INTO attempts (job_id, attempt, ended_at, outcome, superseded) VALUES
    ('completed', 1, '2026-01-01T00:00:00.000Z', 'failed', 1), ('completed', 2, '2026-01-01T00:00:01.000Z', 'completed', 0)`)
  db.close()
}

test('a database of schema 5 is upgraded in place: every row is as it was, what is new is null, nothing is skipped', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await schemaFive(path)
  const before = rowsOf(path)
  await open(path).close()
  const after = rowsOf(path)
  // A thousand bytes are 1750 in octal: four digits, the first of them 1 and 7.
  const sized = { size_class: 417 }
  const added = { skip_reason: null, profile: null, source_facts: null, score: null, converted_with: null, ...sized }
  expect(after['jobs']).toEqual(before['jobs']?.map((row) => ({ ...row, ...added })))
  expect(after['attempts']).toEqual(there(before['attempts']))
  const counted = { state: 'skipped', jobs: 0, source_bytes: 0, output_bytes: 0 }
  expect(after['counters']).toEqual([...there(before['counters']), counted])
})

test('an upgraded queue goes on where the earlier one was, and skips', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await schemaFive(path)
  const store = open(path)
  const running = there(await store.job('processing'))
  expect(await store.skip(keyOf(running), skipped)).toMatchObject({ status: 'skipped', skip_reason: skipped.reason })
  const by_status = { pending: 1, processing: 0, completed: 1, failed: 1, cancelled: 1, skipped: 1 }
  expect(await store.totals()).toMatchObject({ by_status, remaining_source_bytes: 1000 })
  expect((await store.jobs({ status: 'skipped', limit: 10 })).jobs).toHaveLength(1)
  await store.close()
})

test('the settings that a job was completed or skipped with are kept, and go when it is queued again', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = open(path)
  const claim = async () =>
    keyOf(there(await store.claim({ worker_id: 'w', request_id: crypto.randomUUID(), lease_ms })))
  const hevc = settings({ codec: 'hevc' })
  await store.addSources([source('a')])
  await store.skip(await claim(), { ...skipped, settings: hevc })
  expect(settingsIn(path)).toEqual(hevc)
  await store.requeue(idOf('a'))
  expect(settingsIn(path)).toBeNull()
  const key = await claim()
  await store.beginPublish(key, { ...result, settings: hevc })
  await store.abandonPublish(key)
  expect(settingsIn(path)).toBeNull()
  await store.beginPublish(key, { ...result, settings: settings() })
  // As a master that did not hear the worker itself ends it.
  await store.complete(key, { ...result, settings: null })
  expect(settingsIn(path)).toEqual(settings())
  await store.close()
})

test('facts and scores that another version wrote in words of its own are read as none', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = open(path)
  await store.addSources([source('a')])
  const db = new Database(path)
  for (const foreign of ['not JSON', '{"codec":7}', 'null', '']) {
    db.query('UPDATE jobs SET source_facts = ?1, score = ?1').run(foreign)
    expect(await store.job(idOf('a'))).toMatchObject({ status: 'pending', source_facts: null, score: null })
  }
  db.close()
  await store.close()
})

function settingsIn(path: string): unknown {
  const db = new Database(path, { readonly: true })
  const row = db.query<{ converted_with: string | null }, []>('SELECT converted_with FROM jobs').get()
  db.close()
  return JSON.parse(row?.converted_with ?? 'null')
}

function rowsOf(path: string): Record<string, Record<string, unknown>[]> {
  const db = new Database(path, { readonly: true })
  const rows = ['jobs', 'attempts', 'counters'].map((table) => [table, db.query(`SELECT * FROM ${table}`).all()])
  db.close()
  return Object.fromEntries(rows) as Record<string, Record<string, unknown>[]>
}
