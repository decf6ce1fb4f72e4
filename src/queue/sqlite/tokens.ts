import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { DarkstreamError } from '../../contract/error.ts'
import type { Clock } from '../../util/clock.ts'
import type { StoredToken, Tokens } from '../tokens.ts'
import { busyTimeout_ms, Connection } from './connection.ts'
import { isCurrent } from './migrate.ts'
import { tokenStatements as statements } from './token-statements.ts'

/** The tokens of a queue that is open. */
export function tokens(db: Connection): Tokens {
  return {
    async addToken(token) {
      return db.change(statements.addToken, { ...token, now: db.now() }) > 0
    },

    async tokens() {
      return db.rows<StoredToken>(statements.tokens, {})
    },

    async token(hash) {
      return db.row<StoredToken>(statements.token, { hash })
    },

    async revokeToken(id) {
      return db.row<StoredToken>(statements.revokeToken, { id, now: db.now() })
    },
  }
}

/**
 * Opens only the tokens of a queue's file, also while a master works with it, which looks at the file for each call.
 *
 * @throws DarkstreamError `unavailable` when there is no such database, or no master of this version has opened it yet
 */
export function openTokens(path: string, clock: Clock): Tokens & { close: () => void } {
  if (!existsSync(path)) {
    const remedy = "name the master's configuration with --config, on the master's machine"
    throw new DarkstreamError('unavailable', `there is no database at ${path}: ${remedy}`)
  }
  const db = new Database(path, { strict: true })
  try {
    db.run(`PRAGMA busy_timeout = ${busyTimeout_ms}`)
    if (!isCurrent(db)) {
      throw new DarkstreamError('unavailable', `${path} is no queue of this version: start the master on it once`)
    }
    db.run('PRAGMA synchronous = FULL')
    return { ...tokens(new Connection(db, clock)), close: () => db.close() }
  } catch (error) {
    db.close()
    throw error
  }
}
