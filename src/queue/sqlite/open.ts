import { Database, SQLiteError } from 'bun:sqlite'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import { busyTimeout_ms } from './connection.ts'
import { isDamaged, migrate, refuseUnfit } from './migrate.ts'

/** An open database that no other master has. */
export interface OpenDatabase {
  db: Database
  close: () => void
}

/**
 * Opens, locks and migrates a jobs database; makes it and its folder when they are not there. What is acknowledged is on
 * disk: WAL with `synchronous=FULL`.
 *
 * @throws DarkstreamError `unavailable`, with what to do, when the file is locked by another master, newer, damaged or not ours
 */
export function openDatabase(path: string): OpenDatabase {
  let lock: Database | undefined
  let db: Database | undefined
  try {
    mkdirSync(dirname(path), { recursive: true })
    lock = holdLock(`${path}-lock`)
    db = new Database(path, { create: true, strict: true })
    db.run(`PRAGMA busy_timeout = ${busyTimeout_ms}`)
    // Before the first pragma that writes: what is refused stays as it is, to the byte.
    refuseUnfit(db, path)
    db.run('PRAGMA journal_mode = WAL')
    db.run('PRAGMA synchronous = FULL')
    db.run('PRAGMA foreign_keys = ON')
    // The log is taken over into the database every 4 MB; what it grew beyond that for a reader's sake is given back.
    db.run('PRAGMA wal_autocheckpoint = 1000')
    db.run('PRAGMA journal_size_limit = 4194304')
    migrate(db)
    return { db, close: closeAll }
  } catch (error) {
    closeAll()
    if (error instanceof DarkstreamError) throw error
    throw new DarkstreamError('unavailable', whyNotOpened(path, error), { cause: error })
  }

  function closeAll() {
    db?.close()
    lock?.close()
  }
}

/**
 * An exclusive transaction on a file beside the database, held while the master lives. SQLite's locks end with their
 * process however it ends, on every system; the database itself stays readable for others.
 */
function holdLock(path: string): Database {
  const lock = new Database(path, { create: true })
  lock.run('PRAGMA locking_mode = EXCLUSIVE')
  lock.run('BEGIN EXCLUSIVE')
  return lock
}

function whyNotOpened(path: string, error: unknown): string {
  const code = error instanceof SQLiteError ? (error.code ?? '') : ''
  if (code.startsWith('SQLITE_BUSY'))
    return `${path} is in use by another darkstream master: stop it, or name another database.path`
  if (code === 'SQLITE_NOTADB') return `${path} is not a SQLite database: name another database.path`
  if (code.startsWith('SQLITE_CORRUPT')) return isDamaged(path)
  return `cannot open the database ${path}: ${error instanceof Error ? error.message : String(error)}`
}
