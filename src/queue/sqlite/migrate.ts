import type { Database } from 'bun:sqlite'
import { DarkstreamError } from '../../contract/error.ts'
import original from './migrations/0001_original.sql' with { type: 'text' }
import attempts from './migrations/0002_attempts.sql' with { type: 'text' }

/** In order; `PRAGMA user_version` is how many of them a database has had. */
const migrations = [original, attempts]

/** `PRAGMA application_id` of our databases: "dark" in ASCII. */
const applicationId = 0x6461726b

/**
 * Brings a database to this program's schema, in one transaction. A database of the original program (its two tables,
 * no version) is taken over with all its rows; a newer one, and one that is not ours, is refused untouched.
 */
export function migrate(db: Database, path: string): void {
  db.transaction(() => {
    const version = readPragma(db, 'user_version')
    if (version > migrations.length) {
      throw new DarkstreamError(
        'unavailable',
        `${path} was written by a newer darkstream (schema ${version}, this one knows ${migrations.length}): upgrade this program, or name another database.path`,
      )
    }
    if (version === 0) refuseForeign(db, path)
    for (const sql of migrations.slice(version)) db.run(sql)
    db.run(`PRAGMA application_id = ${applicationId}`)
    db.run(`PRAGMA user_version = ${migrations.length}`)
  }).immediate()
}

/** A database without a version is empty, or the original's, or somebody else's. */
function refuseForeign(db: Database, path: string): void {
  const tables = db
    .query<{ name: string }, []>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all()
    .map((table) => table.name)
  const foreign = tables.filter((name) => name !== 'jobs' && name !== 'workers')
  const isForeignApplication = ![0, applicationId].includes(readPragma(db, 'application_id'))
  if (foreign.length > 0 || isForeignApplication) {
    throw new DarkstreamError(
      'unavailable',
      `${path} is another program's database (it has the tables ${tables.join(', ')}): name another database.path`,
    )
  }
}

function readPragma(db: Database, name: 'user_version' | 'application_id'): number {
  return Number(Object.values(db.query(`PRAGMA ${name}`).get() as Record<string, unknown>)[0])
}
