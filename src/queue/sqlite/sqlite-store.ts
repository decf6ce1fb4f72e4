import type { Clock } from '../../util/clock.ts'
import type { Store } from '../store.ts'
import { acts } from './acts.ts'
import { claimEnds } from './claim-ends.ts'
import { claims } from './claims.ts'
import { Connection } from './connection.ts'
import { openDatabase } from './open.ts'
import { reads } from './reads.ts'
import { refusals } from './refusals.ts'
import { replacements } from './replacements.ts'
import { sources } from './sources.ts'
import { standings } from './standings.ts'
import { tidying } from './tidy.ts'
import { tokens } from './tokens.ts'
import { workers } from './workers.ts'

export interface SqliteStoreOptions {
  /** Of the database file, made when it is not there. */
  path: string
  /** For jobs that are added from now on. */
  max_retries: number
  /** Milliseconds for which attempts are kept that a later one of their job has followed; for ever when 0 or absent. */
  keep_history_ms?: number
  clock: Clock
}

/**
 * Opens the queue in one SQLite file. One connection, on the caller's thread: its transactions are short and never
 * wait for one another.
 *
 * @throws DarkstreamError `unavailable`, as `openDatabase` says
 */
export function openSqliteStore(options: SqliteStoreOptions): Store {
  const { db, close } = openDatabase(options.path)
  const connection = new Connection(db, options.clock)
  return {
    ...sources(connection, options.max_retries),
    ...claims(connection),
    ...claimEnds(connection),
    ...acts(connection),
    ...reads(connection),
    ...workers(connection),
    ...tidying(connection, { path: options.path, keep_history_ms: options.keep_history_ms ?? 0 }),
    ...refusals(connection),
    ...replacements(connection),
    ...standings(connection),
    ...tokens(connection),
    async close() {
      close()
    },
  }
}
