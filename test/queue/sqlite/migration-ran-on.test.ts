import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { onCpu, ranOn } from '../gpu-samples.ts'
import { idOf, keyOf, lease_ms, result, source, there } from '../cases/world.ts'
import { temporaryFolder } from './temporary.ts'

const migrations = join(import.meta.dir, '../../../src/queue/sqlite/migrations')
const open = (path: string) => openSqliteStore({ path, max_retries: 3, clock: () => 0 })

/** What the program of schema 2 left: a job done, one half published, one failed that will be retried, and a worker. */
const rows = [
  `INSERT INTO jobs (id, source_path, output_path, status, created_at, worker_id, attempt, started_at, completed_at,
    output_size, source_size, notes) VALUES ('done', '/in/done.mkv', '/out/done.mp4', 'completed', '2026-01-01T00:00:00.000Z', 'w', 1,
    '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:02.000Z', 400, 1000, '["a note"]')`,
  `INSERT INTO jobs (id, source_path, output_path, status, created_at, worker_id, attempt, started_at, publish_size,
    lease_expires_ms, claim_request_id, source_size) VALUES ('half', '/in/half.mkv', '/out/half.mp4', 'processing',
    '2026-01-01T00:00:00.000Z', 'w', 2, '2026-01-01T00:00:01.000Z', 400, 1, 'r', 1000)`,
  `INSERT INTO jobs (id, source_path, output_path, status, created_at, worker_id, attempt, error_message, error_class,
    retry_at_ms, source_size) VALUES ('failed', '/in/failed.mkv', '/out/failed.mp4', 'failed', '2026-01-01T00:00:00.000Z', 'w', 1,
    'it broke', 'retryable', 1000000, 1000)`,
  `INSERT INTO attempts (job_id, attempt, worker_id, ended_at, outcome, command) VALUES
    ('done', 1, 'w', '2026-01-01T00:00:02.000Z', 'completed', '["ffmpeg"]')`,
  `INSERT INTO workers (id, hostname, last_heartbeat, vulkan_available, active_jobs, gpu_name, cpu_usage, memory_usage, boot_id)
    VALUES ('w', 'rack-1', '2026-01-01T00:00:00.000Z', 1, 2, 'a GPU', 12.5, 60, 'boot')`,
]

async function schemaTwo(path: string): Promise<void> {
  const db = new Database(path, { create: true })
  db.run('PRAGMA journal_mode = WAL')
  for (const name of ['0001_original.sql', '0002_attempts.sql']) db.run(await Bun.file(join(migrations, name)).text())
  // "dark" in ASCII.
  db.run('PRAGMA application_id = 0x6461726b')
  db.run('PRAGMA user_version = 2')
  for (const row of rows) db.run(row)
  db.close()
}

test('a database of schema 2 is upgraded in place: every row is as it was, and what is new is null', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await schemaTwo(path)
  const before = tablesOf(path)
  await open(path).close()
  const ofConversion = { skip_reason: null, profile: null, source_facts: null, score: null, converted_with: null }
  // A thousand bytes are 1750 in octal: four digits, the first of them 1 and 7.
  const ofSizes = { size_class: 417 }
  const ofJobs = { ran_on: null, failed_by: null, refused_by: null, refused_at_ms: null, ...ofConversion, ...ofSizes }
  const ofSkipped = { state: 'skipped', jobs: 0, source_bytes: 0, output_bytes: 0 }
  const added = {
    jobs: ofJobs,
    attempts: { ran_on: null, superseded: 0 },
    workers: { gpu_usage: null, gpu_report: null },
  }
  const expected = Object.entries(before).map(([table, rows]) => [
    table,
    [
      ...rows.map((row) => ({ ...row, ...added[table as keyof typeof added] })),
      ...(table === 'counters' ? [ofSkipped] : []),
    ],
  ])
  expect(tablesOf(path)).toEqual(Object.fromEntries(expected))
  const db = new Database(path, { readonly: true })
  expect(db.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version).toBeGreaterThan(2)
  expect(db.query('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' })
  db.close()
})

test('an upgraded queue goes on where the earlier one was: it publishes, retries, claims and counts', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await schemaTwo(path)
  const store = open(path)
  const [half] = await store.publishing()
  expect(half).toMatchObject({ id: 'half', publish_size: 400, ran_on: null })
  await store.complete(keyOf(there(half)), { ...result, ran_on: null })
  await store.retry('failed')
  const claimed = there(await store.claim({ worker_id: 'w', request_id: 'x', lease_ms }))
  expect(claimed).toMatchObject({ id: 'failed', attempt: 2 })
  await store.complete(keyOf(claimed), { ...result, ran_on: ranOn() })
  expect(await store.paths(10)).toMatchObject([{ encoder: 'h264_vulkan', jobs: 1 }])
  expect(await store.totals()).toMatchObject({ by_status: { completed: 3 }, completed_source_bytes: 3000 })
  expect(await store.attempts('done')).toMatchObject([{ outcome: 'completed', command: ['ffmpeg'], ran_on: null }])
  expect(await store.worker('w')).toMatchObject({ gpu_name: 'a GPU', boot_id: 'boot', gpu_report: null })
  await store.close()
})

test('a record that another version wrote in words of its own is read as none, and the rest of the row stays', async () => {
  for (const foreign of ['not JSON', '{"decode":"quantum"}', '[]', 'null', '7', '']) {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'jobs.db')
    const store = open(path)
    await store.addSources([source('a')])
    const claimed = there(await store.claim({ worker_id: 'w', request_id: 'x', lease_ms }))
    await store.complete(keyOf(claimed), { ...result, ran_on: onCpu() })
    await store.heartbeat({
      worker_id: 'w',
      hostname: 'rack-1',
      vulkan_available: true,
      status: 'busy',
      gpu: 'a GPU',
      cpu_usage: 1,
      memory_usage: 2,
      gpu_usage: 50,
      gpu_report: null,
    })
    await store.close()
    const db = new Database(path, { strict: true })
    for (const change of ['jobs SET ran_on', 'attempts SET ran_on', 'workers SET gpu_report'])
      db.query(`UPDATE ${change} = $foreign`).run({ foreign })
    db.close()
    const again = open(path)
    expect(await again.job(idOf('a'))).toMatchObject({ status: 'completed', output_size: 400, ran_on: null })
    expect((await again.jobs({ limit: 10 })).jobs).toHaveLength(1)
    expect(await again.attempts(idOf('a'))).toMatchObject([{ outcome: 'completed', ran_on: null }])
    expect(await again.workers()).toMatchObject([{ id: 'w', gpu_usage: 50, gpu_report: null }])
    await again.close()
  }
})

test('what a newer program adds to a record does not keep this one from reading the rest', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = open(path)
  await store.addSources([source('a')])
  const claimed = there(await store.claim({ worker_id: 'w', request_id: 'x', lease_ms }))
  await store.complete(keyOf(claimed), { ...result, ran_on: onCpu() })
  await store.close()
  const db = new Database(path)
  db.run(`UPDATE jobs SET ran_on = json_set(ran_on, '$.watts', 300)`)
  db.close()
  const again = open(path)
  expect((await again.job(idOf('a')))?.ran_on).toEqual(onCpu())
  await again.close()
})

/** The rows of the tables that schema 2 has. */
function tablesOf(path: string): Record<string, Record<string, unknown>[]> {
  const db = new Database(path, { readonly: true })
  const tables = ['jobs', 'workers', 'attempts', 'counters'].map((table) => [
    table,
    db.query<Record<string, unknown>, []>(`SELECT * FROM ${table}`).all(),
  ])
  db.close()
  return Object.fromEntries(tables) as Record<string, Record<string, unknown>[]>
}
