import { statSync } from 'node:fs'
import { timestamp } from '../../util/clock.ts'
import { formatBytes } from '../../util/format.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

/** Old attempts removed in one step: some milliseconds on a slow disk. */
const attemptsAtOnce = 200
/** Bytes of the write-ahead log above which it is emptied, four times what SQLite lets it grow to when nothing holds it. */
const longLog = 16_000_000
/** Bytes above which something must be wrong. */
const tooLongLog = 128_000_000
/** Milliseconds that the master waits for readers to leave the log; those who write to it otherwise wait much longer. */
const logPatience_ms = 20

export interface TidyOptions {
  /** Of the database file. */
  path: string
  /** Milliseconds for which attempts are kept that a later one has followed; 0 for ever. */
  keep_history_ms: number
}

/** What keeps the database from growing without bound. */
export function tidying(db: Connection, options: TidyOptions): Pick<Store, 'tidy'> {
  const { path, keep_history_ms } = options
  return {
    async tidy() {
      if (keep_history_ms > 0) {
        const before = timestamp(Math.max(0, db.clock() - keep_history_ms))
        db.change(statements.forgetAttempts, { before, limit: attemptsAtOnce })
      }
      if (sizeOf(`${path}-wal`) > longLog) db.emptyLog(logPatience_ms)
      const log_bytes = sizeOf(`${path}-wal`)
      if (log_bytes <= tooLongLog) return undefined
      return `${path}-wal has grown to ${formatBytes(log_bytes)}, because another program has been reading the database for long: end it`
    },
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
