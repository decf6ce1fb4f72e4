import { ConversionSettings } from '../../contract/conversion.ts'
import { DarkstreamError } from '../../contract/error.ts'
import type { Job } from '../../contract/job.ts'
import { timestamp } from '../../util/clock.ts'
import { type Completion, measureCompletions } from '../completions.ts'
import type { JobFilter, PathTotals, Publication, Store, Totals } from '../store.ts'
import type { Connection, Params } from './connection.ts'
import { type AttemptRow, attemptOf, decodeCursor, encodeCursor, type JobRow, jobOf, recordOf } from './rows.ts'
import { pageOfJobs, statements } from './statements.ts'

type Reads = 'job' | 'jobs' | 'endedJobs' | 'attempts' | 'publication' | 'totals' | 'paths' | 'failures' | 'completions'

type NextJob = JobRow & { number: number; converted_with: string | null; stands_in_place: number }

/** What the queue says of itself. */
export function reads(db: Connection): Pick<Store, Reads> {
  return {
    async job(job_id) {
      return db.job(statements.job, { job_id })
    },

    async jobs(filter) {
      return pageOf(db, filter)
    },

    async endedJobs(after, limit) {
      const rows = db.rows<NextJob>(statements.nextJobs, { after, limit })
      const ended = rows.filter(({ status }) => status === 'completed' || status === 'skipped')
      return {
        jobs: ended.map(({ number: _, converted_with, stands_in_place, ...row }) => ({
          ...jobOf(row),
          converted_with: recordOf(ConversionSettings, converted_with),
          is_replacement: row.status === 'completed' && stands_in_place === 1,
        })),
        next: rows.length === limit ? (rows.at(-1)?.number ?? null) : null,
      }
    },

    async attempts(job_id) {
      return db.rows<AttemptRow>(statements.attempts, { job_id }).map(attemptOf)
    },

    async publication(job_id) {
      return db.row<Publication>(statements.publication, { job_id })
    },

    async totals() {
      return totalsOf(db)
    },

    async paths(limit) {
      return db.rows<PathTotals>(statements.paths, { limit })
    },

    async failures(limit) {
      return db.rows<{ error_message: string; count: number }>(statements.failures, { limit })
    },

    async completions(since_ms, limit) {
      return measureCompletions(db.rows<Completion>(statements.completions, { since: timestamp(since_ms), limit }))
    },
  }
}

/** The jobs that a filter lets through, and where the next page begins; null after the last. */
function pageOf(db: Connection, filter: JobFilter): { jobs: Job[]; next: string | null } {
  const cursor = filter.after === undefined ? undefined : decodeCursor(filter.after)
  if (filter.after !== undefined && !cursor) {
    throw new DarkstreamError('invalid_request', 'after: must be the "next" of an earlier page')
  }
  const params: Params = { limit: filter.limit + 1 }
  if (filter.status !== undefined) params['status'] = filter.status
  if (filter.worker_id !== undefined) params['worker_id'] = filter.worker_id
  if (filter.search !== undefined) params['search'] = `%${filter.search.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`
  const sql = pageOfJobs({
    status: filter.status !== undefined,
    worker_id: filter.worker_id !== undefined,
    search: filter.search !== undefined,
    after: cursor !== undefined,
  })
  const rows = db.rows<JobRow & { rowid: number }>(sql, { ...params, ...cursor })
  const page = rows.slice(0, filter.limit)
  const last = page.at(-1)
  return {
    jobs: page.map(({ rowid: _, ...row }) => jobOf(row)),
    next: rows.length > filter.limit && last ? encodeCursor(last) : null,
  }
}

/** The sums that the triggers keep. */
function totalsOf(db: Connection): Totals {
  const rows = db.rows<{ state: string; jobs: number; source_bytes: number; output_bytes: number }>(
    statements.counters,
    {},
  )
  const of = (state: string) => rows.find((row) => row.state === state) ?? { jobs: 0, source_bytes: 0, output_bytes: 0 }
  const waiting = of('awaiting_retry')
  return {
    by_status: {
      pending: of('pending').jobs,
      processing: of('processing').jobs,
      completed: of('completed').jobs,
      failed: of('failed').jobs + waiting.jobs,
      cancelled: of('cancelled').jobs,
      skipped: of('skipped').jobs,
    },
    awaiting_retry: waiting.jobs,
    remaining_source_bytes: of('pending').source_bytes + of('processing').source_bytes + waiting.source_bytes,
    completed_source_bytes: of('completed').source_bytes,
    completed_output_bytes: of('completed').output_bytes,
    kept_original_bytes: db.row<{ bytes: number }>(statements.keptOriginals, {})?.bytes ?? 0,
  }
}
