import type { Database } from 'bun:sqlite'
import { DarkstreamError } from '../../contract/error.ts'
import original from './migrations/0001_original.sql' with { type: 'text' }
import attempts from './migrations/0002_attempts.sql' with { type: 'text' }
import ranOn from './migrations/0003_ran_on.sql' with { type: 'text' }
import standings from './migrations/0004_standings.sql' with { type: 'text' }
import history from './migrations/0005_history.sql' with { type: 'text' }
import skipped from './migrations/0006_skipped.sql' with { type: 'text' }
import replacements from './migrations/0007_replacements.sql' with { type: 'text' }
import tokens from './migrations/0008_tokens.sql' with { type: 'text' }
import sizes from './migrations/0009_sizes.sql' with { type: 'text' }

/** In order; `PRAGMA user_version` is how many of them a database has had. */
const migrations = [original, attempts, ranOn, standings, history, skipped, replacements, tokens, sizes]

/** `PRAGMA application_id` of our databases: "dark" in ASCII. */
const applicationId = 0x6461726b

/** What tells the original's table of jobs from another program's of that name. */
const originalColumns = ['id', 'source_path', 'output_path', 'status', 'worker_id', 'started_at', 'completed_at']

/**
 * Brings a database that is fit for it to this program's schema, in one transaction. One of the original program (its
 * two tables, no version) is taken over with all its rows.
 */
export function migrate(db: Database): void {
  db.transaction(() => {
    const version = readPragma(db, 'user_version')
    if (version === migrations.length) return
    for (const sql of migrations.slice(version)) db.run(sql)
    db.run(`PRAGMA application_id = ${applicationId}`)
    db.run(`PRAGMA user_version = ${migrations.length}`)
  }).immediate()
}

/** Whether a database is ours and has this program's schema. Reads only, and little. */
export function isCurrent(db: Database): boolean {
  return readPragma(db, 'application_id') === applicationId && readPragma(db, 'user_version') === migrations.length
}

/**
 * Reads only, so that what is refused is untouched.
 *
 * @throws DarkstreamError `unavailable` for a database that is damaged, newer than this program, or not ours
 */
export function refuseUnfit(db: Database, path: string): void {
  const [damage] = db.query<{ quick_check: string }, []>('PRAGMA quick_check(1)').all()
  if (damage?.quick_check !== 'ok') throw new DarkstreamError('unavailable', isDamaged(path))
  const version = readPragma(db, 'user_version')
  const application = readPragma(db, 'application_id')
  if (application !== applicationId && (application !== 0 || version !== 0 || !isEmptyOrOriginal(db))) {
    throw new DarkstreamError(
      'unavailable',
      `${path} is another program's database (it has the tables ${tablesOf(db).join(', ')}): name another database.path`,
    )
  }
  if (version > migrations.length) {
    throw new DarkstreamError(
      'unavailable',
      `${path} was written by a newer darkstream (schema ${version}, this one knows ${migrations.length}): upgrade this program, or name another database.path`,
    )
  }
}

/** The sentence about a database that cannot be read to its end. */
export function isDamaged(path: string): string {
  return `${path} is damaged: move it away with its -wal and -shm files, then put a copy from darkstream backup in its place, or start without it and all is scanned again`
}

function isEmptyOrOriginal(db: Database): boolean {
  const tables = tablesOf(db)
  if (!tables.includes('jobs')) return tables.length === 0
  const columns = namesOf(db, "SELECT name FROM pragma_table_info('jobs')")
  return (
    tables.every((name) => name === 'jobs' || name === 'workers') &&
    originalColumns.every((name) => columns.includes(name))
  )
}

function tablesOf(db: Database): string[] {
  return namesOf(db, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
}

function namesOf(db: Database, sql: string): string[] {
  return db
    .query<{ name: string }, []>(sql)
    .all()
    .map((row) => row.name)
}

function readPragma(db: Database, name: 'user_version' | 'application_id'): number {
  return Number(Object.values(db.query(`PRAGMA ${name}`).get() as Record<string, unknown>)[0])
}
