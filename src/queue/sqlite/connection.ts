import type { Database, Statement } from 'bun:sqlite'
import type { Job } from '../../contract/job.ts'
import { type Clock, timestamp } from '../../util/clock.ts'
import { type JobRow, jobOf } from './rows.ts'

/** Named parameters of a statement, without their `$`. */
export type Params = Record<string, string | number | boolean | null>

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
    return this.db.transaction(step).immediate()
  }

  row<Row = unknown>(sql: string, params: Params): Row | undefined {
    return this.prepared<Row>(sql).get(params) ?? undefined
  }

  rows<Row>(sql: string, params: Params): Row[] {
    return this.prepared<Row>(sql).all(params)
  }

  /** Runs a statement for its effect; how many rows it changed. */
  change(sql: string, params: Params): number {
    return this.prepared(sql).run(params).changes
  }

  /** The job that a statement returns. */
  job(sql: string, params: Params): Job | undefined {
    const row = this.row<JobRow>(sql, params)
    return row && jobOf(row)
  }

  private prepared<Row>(sql: string): Statement<Row, [Params]> {
    return this.db.query<Row, [Params]>(sql)
  }
}
