import { Database } from 'bun:sqlite'
import { expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdir, open as openFile, readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import { idOf, refusal, source } from '../cases/world.ts'
import { temporaryFolder } from './temporary.ts'

async function open(path: string) {
  return openSqliteStore({ path, max_retries: 3, clock: () => 0 })
}

test('a database that is open already is refused with a sentence, and the first goes on', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const first = await open(path)
  expect(await refusal(open(path))).toMatchObject({
    code: 'unavailable',
    message: `${path} is in use by another darkstream master: stop it, or name another database.path`,
  })
  await first.addSources([source('a')])
  await first.close()
  const second = await open(path)
  expect(await second.job(idOf('a'))).toBeDefined()
  await second.close()
})

test('others may read the database while the master has it', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  const store = await open(path)
  await store.addSources([source('a')])
  const reader = new Database(path, { readonly: true })
  expect(reader.query('SELECT count(*) AS jobs FROM jobs').get()).toEqual({ jobs: 1 })
  reader.close()
  await store.close()
})

test('jobs that somebody deletes from the database are not counted any more', async () => {
  await using folder = await temporaryFolder()
  const path = await darkstreamDatabase(folder.path)
  write(path, [`DELETE FROM jobs WHERE id <> '${idOf('film 7')}'`])
  const store = await open(path)
  expect(await store.totals()).toMatchObject({ by_status: { pending: 1 }, remaining_source_bytes: 1000 })
  await store.close()
})

test('a database of a newer darkstream is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = await darkstreamDatabase(folder.path)
  write(path, ['PRAGMA user_version = 99'])
  await expectRefused(path, /was written by a newer darkstream \(schema 99, this one knows \d+\): upgrade/)
})

for (const journal_mode of ['DELETE', 'WAL']) {
  test(`another program's database (journal ${journal_mode}) is refused with a sentence and left as it is`, async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'photos.db')
    write(path, [
      `PRAGMA journal_mode = ${journal_mode}`,
      'CREATE TABLE photos (id INTEGER, jobs TEXT)',
      "INSERT INTO photos VALUES (1, 'x')",
    ])
    await expectRefused(path, /is another program's database \(it has the tables photos\): name another database.path/)
  })
}

test('a database that another program marked as its own is refused though its tables have our names', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'print-queue.db')
  write(path, ['PRAGMA application_id = 12345', 'CREATE TABLE jobs (id INTEGER, printer TEXT)'])
  await expectRefused(path, /is another program's database/)
})

test('a database whose table of jobs is not the original is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'print-queue.db')
  write(path, ['CREATE TABLE jobs (id INTEGER, printer TEXT)', "INSERT INTO jobs VALUES (1, 'office')"])
  await expectRefused(path, /is another program's database|cannot open the database/)
})

test('a versioned database of another program is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'photos.db')
  write(path, ['PRAGMA user_version = 1', 'CREATE TABLE photos (id INTEGER)'])
  await expectRefused(path, /is another program's database/)
})

test('a file that is no database is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'notes.txt')
  await writeFile(path, 'these are my notes\n'.repeat(1000))
  await expectRefused(path, /is not a SQLite database: name another database.path$/)
})

test('a folder in place of the database is refused with a sentence', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  await mkdir(path)
  expect(await refusal(open(path))).toMatchObject({ code: 'unavailable', message: expect.stringContaining(path) })
})

test('a database whose table of contents is damaged is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = await darkstreamDatabase(folder.path)
  await overwrite(path, 100, 3996)
  await expectRefused(
    path,
    /is damaged: move it away with its -wal and -shm files, then put a copy from darkstream backup in its place, or /,
  )
})

test('a database of which the end is missing is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = await darkstreamDatabase(folder.path)
  await truncate(path, 3 * 4096)
  await expectRefused(
    path,
    /is damaged: move it away with its -wal and -shm files, then put a copy from darkstream backup in its place, or /,
  )
})

test('a database whose table of jobs is damaged is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = await darkstreamDatabase(folder.path)
  await overwrite(path, 4096, 4096)
  await expectRefused(
    path,
    /is damaged: move it away with its -wal and -shm files, then put a copy from darkstream backup in its place, or /,
  )
})

test('an original database that is damaged is refused with a sentence and left as it is', async () => {
  await using folder = await temporaryFolder()
  const path = join(folder.path, 'jobs.db')
  write(path, [
    'CREATE TABLE jobs (id TEXT PRIMARY KEY, source_path TEXT NOT NULL)',
    'CREATE TABLE workers (id TEXT PRIMARY KEY)',
    "INSERT INTO jobs VALUES ('a', '/in/a.mkv')",
  ])
  await overwrite(path, 100, 3996)
  await expectRefused(path, /is damaged/)
})

/** Opening is refused with `unavailable` and such a sentence, and every byte of the file is as before. */
async function expectRefused(path: string, sentence: RegExp): Promise<void> {
  const before = await hashOf(path)
  expect(await refusal(open(path))).toMatchObject({ code: 'unavailable', message: expect.stringMatching(sentence) })
  expect(await hashOf(path)).toBe(before)
}

async function hashOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex')
}

/** A database of ours with a few hundred jobs, closed. */
async function darkstreamDatabase(folder: string): Promise<string> {
  const path = join(folder, 'jobs.db')
  const store = await open(path)
  await store.addSources(Array.from({ length: 300 }, (_, index) => source(`film ${index}`)))
  await store.close()
  return path
}

function write(path: string, statements: readonly string[]): void {
  const db = new Database(path, { create: true })
  for (const sql of statements) db.run(sql)
  db.close()
}

async function overwrite(path: string, at: number, bytes: number): Promise<void> {
  const file = await openFile(path, 'r+')
  await file.write(Buffer.alloc(bytes, 0xa5), 0, bytes, at)
  await file.close()
}
