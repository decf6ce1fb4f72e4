import { Database, SQLiteError } from 'bun:sqlite'
import { randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, linkSync, lstatSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import { errnoOf } from '../../util/errno.ts'
import { busyTimeout_ms } from './connection.ts'
import { isDamaged, refuseUnfit } from './migrate.ts'

/** A finished copy of a database. */
export interface Backup {
  path: string
  size_bytes: number
  jobs: number
}

/**
 * Copies a jobs database as it is at one instant, also while a master works with it: the copy is made by a reader, for
 * whom no writer waits. It gets its name once it is whole, checked and on disk; only its owner may read it.
 *
 * @throws DarkstreamError `conflict` when something has the name already, `unavailable`, with what to do, when the
 * database is not fit for a copy or the copy cannot be written; then nothing of it is left
 */
export function backUpDatabase(path: string, target: string): Backup {
  if (!existsSync(path)) {
    const what = "name the master's configuration with --config, on the master's machine"
    throw new DarkstreamError('unavailable', `there is no database at ${path}: ${what}`)
  }
  refuseTaken(target)
  const partial = join(dirname(target), `.${basename(target)}.${randomUUID()}.partial`)
  try {
    // SQLite fills an empty file without a change to who may read it.
    closeSync(openSync(partial, 'wx', 0o600))
    copy(path, partial)
    const jobs = checkedJobs(partial, path)
    const { size } = statSync(partial)
    // Windows syncs only what may be written.
    sync(partial, 'r+')
    giveName(partial, target)
    syncFolder(dirname(target))
    return { path: target, size_bytes: size, jobs }
  } catch (error) {
    if (error instanceof DarkstreamError) throw error
    throw new DarkstreamError('unavailable', whyNotCopied(path, target, error), { cause: error })
  } finally {
    for (const file of [partial, `${partial}-journal`]) rmSync(file, { force: true })
  }
}

/** A log that lies beside the name would be taken for the copy's. */
function refuseTaken(target: string): void {
  const taken = [target, `${target}-wal`, `${target}-journal`].find((name) => isThere(name))
  if (taken) throw new DarkstreamError('conflict', `${taken} is there already: name another file, or remove it`)
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function copy(path: string, partial: string): void {
  const db = new Database(path, { readonly: true })
  try {
    db.run(`PRAGMA busy_timeout = ${busyTimeout_ms}`)
    refuseUnfit(db, path)
    db.run('VACUUM INTO ?', [partial])
  } finally {
    db.close()
  }
}

/** How many jobs a copy holds, of which every page was read and every index compared with its table. */
function checkedJobs(partial: string, path: string): number {
  const db = new Database(partial, { readonly: true })
  try {
    const [found] = db.query<{ integrity_check: string }, []>('PRAGMA integrity_check(1)').all()
    if (found?.integrity_check !== 'ok') {
      throw new DarkstreamError('unavailable', `the copy of ${path} did not come out whole: ${found?.integrity_check}`)
    }
    return db.query<{ jobs: number }, []>('SELECT count(*) AS jobs FROM jobs').get()?.jobs ?? 0
  } finally {
    db.close()
  }
}

/** As far as the system can: Windows and some network file systems have no sync of folders. The copy is there either way. */
function syncFolder(path: string): void {
  try {
    sync(path, 'r')
  } catch {}
}

function sync(path: string, flags: 'r' | 'r+'): void {
  const file = openSync(path, flags)
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

/** A second name fails where the name was taken meanwhile; a storage that knows no second names gets a rename. */
function giveName(partial: string, target: string): void {
  try {
    linkSync(partial, target)
  } catch (error) {
    refuseTaken(target)
    if (codeOf(error) === 'EEXIST') throw error
    renameSync(partial, target)
  }
}

function whyNotCopied(path: string, target: string, error: unknown): string {
  const code = codeOf(error)
  if (code === 'SQLITE_FULL' || code === 'ENOSPC')
    return `cannot write ${target}: the disk is full; nothing was left there`
  if (code === 'ENOENT') return `cannot write ${target}: there is no folder ${dirname(target)}`
  if (code === 'SQLITE_NOTADB') return `${path} is not a SQLite database: name another database.path`
  if (code.startsWith('SQLITE_CORRUPT')) return isDamaged(path)
  return `cannot copy ${path} to ${target}: ${error instanceof Error ? error.message : String(error)}; nothing was left there`
}

function codeOf(error: unknown): string {
  if (error instanceof SQLiteError) return error.code ?? ''
  return errnoOf(error) ?? ''
}
