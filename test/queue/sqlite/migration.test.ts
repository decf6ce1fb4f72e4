import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { lease_ms, result, source, there } from '../cases/world.ts'
import { originalJob, startsInUtc } from './original-database.ts'
import { jobs, upgrade } from './upgrade.ts'

test('every job of the original is still there, with its file and its figures', async () => {
  await using queue = await upgrade(jobs)
  for (const original of jobs) {
    const job = there(await queue.store.job(original.id))
    expect(job).toMatchObject({
      source_path: original.source_path,
      retry_count: original.retry_count ?? 0,
      max_retries: original.max_retries ?? 3,
      source_duration: original.source_duration,
      output_size: original.output_size,
      attempt: 0,
      priority: 5,
      notes: [],
      ran_on: null,
    })
    if (original.error_message) expect(job.error_message).toBe(original.error_message)
  }
  expect((await queue.store.jobs({ limit: 1000 })).jobs).toHaveLength(jobs.length)
})

test('times become RFC 3339 in UTC, whatever their zone and their digits', async () => {
  await using queue = await upgrade(jobs)
  for (const job of (await queue.store.jobs({ limit: 1000 })).jobs) {
    for (const time of [job.created_at, job.started_at, job.completed_at]) {
      if (time !== null) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    }
  }
  const created = await Promise.all(jobs.slice(0, 3).map(async ({ id }) => (await queue.store.job(id))?.created_at))
  expect(created).toEqual([...startsInUtc])
  expect(await queue.store.job(jobs[0]?.id ?? '')).toMatchObject({
    started_at: '2025-11-07T21:00:00.000Z',
    completed_at: '2025-11-07T21:10:00.988Z',
  })
})

test('what was empty is null, and a state that nobody knows is failed', async () => {
  await using queue = await upgrade(jobs)
  const nothing = { status: 'failed', worker_id: null, started_at: null, completed_at: null, error_message: null }
  expect(await queue.live('odd.mkv')).toMatchObject(nothing)
  expect(await queue.live('odder.mkv')).toMatchObject(nothing)
  expect(await queue.live('done.mkv')).toMatchObject({ status: 'completed', error_message: null })
})

test('the totals are those of a recount', async () => {
  await using queue = await upgrade(jobs)
  const counted = { pending: 0, processing: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0 }
  for (const job of (await queue.store.jobs({ limit: 1000 })).jobs) counted[job.status]++
  const totals = await queue.store.totals()
  expect(totals.by_status).toEqual(counted)
  expect(totals).toMatchObject({ awaiting_retry: 0, completed_output_bytes: 4 * 5_000_000_000 })
})

test('a rescan of the same files adds nothing and queues nothing, and from then on sees changes', async () => {
  await using queue = await upgrade(jobs)
  const before = (await queue.store.jobs({ limit: 1000 })).jobs
  const found = [...new Set(jobs.map((job) => job.source_path))].map((source_path) =>
    source(source_path, { source_path }),
  )
  expect(await queue.store.addSources(found)).toEqual({ added: 0, changed: 0, unchanged: found.length })
  expect(await queue.store.addSources(found)).toEqual({ added: 0, changed: 0, unchanged: found.length })
  const after = (await queue.store.jobs({ limit: 1000 })).jobs
  expect(after.map((job) => job.status)).toEqual(before.map((job) => job.status))
  expect(await queue.live('done.mkv')).toMatchObject({ source_size: 1000, source_mtime_ms: 1_700_000_000_000 })
  const changed = found.map((file) => ({ ...file, source_size: 2000 }))
  const running = ['running.mkv', 'nameless.mkv'].length
  expect(await queue.store.addSources(changed)).toMatchObject({ added: 0, changed: found.length - running })
})

test('opening an upgraded database again changes nothing more', async () => {
  await using queue = await upgrade(jobs)
  await queue.store.close()
  const before = contents(queue.path)
  await queue.open().close()
  expect(contents(queue.path)).toEqual(before)
})

test('what a dead worker of the original left is given to others once a whole lease has passed', async () => {
  await using queue = await upgrade(jobs)
  await queue.store.renewAll(lease_ms)
  queue.advance(lease_ms)
  const reaped = await queue.store.reap()
  expect(reaped.map((job) => job.source_path).toSorted()).toEqual(['/in/nameless.mkv', '/in/running.mkv'])
  expect(reaped.map((job) => job.status)).toEqual(['pending', 'pending'])
  const [attempt] = await queue.store.attempts((await queue.live('nameless.mkv')).id)
  expect(attempt).toMatchObject({ outcome: 'lost', worker_id: null, started_at: '2025-11-07T21:00:00.000Z' })
  expect(attempt?.error_message).not.toContain('null')
})

test('a worker of the original that still runs can complete the job that it has', async () => {
  await using queue = await upgrade(jobs)
  const { id } = await queue.live('running.mkv')
  const key = { job_id: id, worker_id: 'worker-1' }
  expect(await queue.store.complete(key, result)).toMatchObject({ id, status: 'completed', output_size: 400 })
})

test('the workers of the original are still there', async () => {
  await using queue = await upgrade(jobs)
  const nothing = { vulkan_available: false, active_jobs: 0, gpu_name: '', cpu_usage: 0, memory_usage: 0 }
  const unknown = { ...nothing, gpu_usage: null, gpu_report: null }
  expect(await queue.store.workers()).toEqual([
    {
      id: 'worker-1',
      hostname: 'rack-1',
      last_heartbeat: '2025-11-07T20:10:05.250Z',
      vulkan_available: true,
      active_jobs: 3,
      gpu_name: 'a GPU',
      cpu_usage: 12.5,
      memory_usage: 60,
      gpu_usage: null,
      gpu_report: null,
      status: 'healthy',
      boot_id: null,
    },
    { id: 'worker-2', hostname: 'rack-2', last_heartbeat: null, ...unknown, status: 'healthy', boot_id: null },
  ])
})

test("the original's columns and the indexes on state, worker and creation time are there", async () => {
  await using queue = await upgrade([])
  const db = new Database(queue.path, { readonly: true })
  const names = (sql: string) =>
    db
      .query<{ name: string }, []>(sql)
      .all()
      .map((row) => row.name)
  const original = Object.keys(originalJob('a.mkv', 0))
  expect(names('SELECT name FROM pragma_table_info("jobs")')).toEqual(expect.arrayContaining(original))
  const indexes = ['idx_jobs_status', 'idx_jobs_worker_id', 'idx_jobs_created_at']
  expect(names("SELECT name FROM sqlite_schema WHERE type = 'index'")).toEqual(expect.arrayContaining(indexes))
  expect(names('PRAGMA integrity_check')).toEqual([])
  db.close()
})

/** All rows of all tables, and what the database says of itself. */
function contents(path: string): unknown {
  const db = new Database(path, { readonly: true })
  const tables = ['jobs', 'workers', 'attempts', 'counters', 'paths', 'sqlite_schema']
  const rows = tables.map((table) => db.query(`SELECT * FROM ${table}`).all())
  const marks = ['user_version', 'application_id'].map((name) => db.query(`PRAGMA ${name}`).get())
  db.close()
  return { rows, marks }
}
