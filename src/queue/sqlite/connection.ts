import { type Database, SQLiteError, type Statement } from 'bun:sqlite'
import { DarkstreamError } from '../../contract/error.ts'
import type { Job } from '../../contract/job.ts'
import { type Clock, timestamp } from '../../util/clock.ts'
import { type JobRow, jobOf } from './rows.ts'

/** Named parameters of a statement, without their `$`. */
export type Params = Record<string, string | number | boolean | null>

/** Milliseconds that a step waits for another process that writes; no darkstream does. */
export const busyTimeout_ms = 5000

/** The one connection of a store, and the few ways in which it is used. */
export class Connection {
  private readonly db: Database
  /** Milliseconds UTC; the only time that decides anything. */
  readonly clock: Clock

  constructor(db: Database, clock: Clock) {
    this.db = db
    this.clock = clock
  }

  /** The instant as contract fields hold it. */
  now(): string {
    return timestamp(this.clock())
  }

  /** Runs a step as one transaction that takes the write lock at once. */
  atomically<T>(step: () => T): T {
    return told(() => this.db.transaction(step).immediate())
  }

  row<Row = unknown>(sql: string, params: Params): Row | undefined {
    return told(() => this.prepared<Row>(sql).get(params) ?? undefined)
  }

  rows<Row>(sql: string, params: Params): Row[] {
    return told(() => this.prepared<Row>(sql).all(params))
  }

  /** Runs a statement for its effect; how many rows it changed. */
  change(sql: string, params: Params): number {
    return told(() => this.prepared(sql).run(params).changes)
  }

  /** The job that a statement returns. */
  job(sql: string, params: Params): Job | undefined {
    const row = this.row<JobRow>(sql, params)
    return row && jobOf(row)
  }

  /**
   * Takes over into the database what its write-ahead log holds and empties that file, unless a reader needs it for
   * longer than `patience_ms`: then it stays, to be emptied another time.
   */
  emptyLog(patience_ms: number): void {
    told(() => {
      this.db.run(`PRAGMA busy_timeout = ${patience_ms}`)
      try {
        this.db.run('PRAGMA wal_checkpoint(TRUNCATE)')
      } finally {
        this.db.run(`PRAGMA busy_timeout = ${busyTimeout_ms}`)
      }
    })
  }

  private prepared<Row>(sql: string): Statement<Row, [Params]> {
    return this.db.query<Row, [Params]>(sql)
  }
}

/** What may pass by itself (a full disk, a busy file) is told in words; those who asked ask again. */
function told<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof SQLiteError) || !/^SQLITE_(FULL|IOERR|BUSY|READONLY)/.test(error.code ?? '')) throw error
    const why = error.code === 'SQLITE_FULL' ? 'its disk is full' : error.message
    throw new DarkstreamError('unavailable', `the queue's database cannot be written: ${why}`, { cause: error })
  }
}
