import type { FailureReport } from '../../contract/failure.ts'
import type { Job } from '../../contract/job.ts'
import { timestamp } from '../../util/clock.ts'
import type { SetAside } from '../standings.ts'
import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

/** Failures in a row, each of another job, after which a worker is set aside. */
const enough = 5
/** Milliseconds for which it is set aside the first time; doubled at each further time, up to the longest. */
const firstPauseMs = 60_000
const longestPauseMs = 3_600_000

/** A claim that its worker failed. */
export interface FailedClaim {
  /** As the failure left it, still with its worker. */
  job: Job
  worker_id: string
  report: FailureReport | undefined
  error_message: string
  /** RFC 3339; workers heard from since then are there. */
  heard_since: string
}

/** Who stands aside, and the way back. */
export function standings(db: Connection): Pick<Store, 'setAside' | 'resume'> {
  return {
    async setAside() {
      return db.rows<SetAside>(statements.standingAside, { now_ms: db.clock() })
    },

    async resume(worker_id) {
      return db.atomically(() => clearStanding(db, worker_id))
    },
  }
}

/** Forgets a worker's failures: it had a success, or somebody says that it is well. Whether it was set aside. */
export function clearStanding(db: Connection, worker_id: string): boolean {
  db.change(statements.forgetFailures, { worker_id })
  const had = db.row<{ set_aside_until_ms: number | null }>(statements.forgetStanding, { worker_id })
  return (had?.set_aside_until_ms ?? 0) > db.clock()
}

/**
 * Counts a failure against its worker and sets the worker aside when it fails at everything. What does not count: a
 * failure for good, which is the file's; a publication's, of whatever class, which is the master's; a second one of the
 * same job; and one of a job that also failed on another worker, unless that one fails at everything, too. To be called in
 * the transaction that fails the job.
 */
export function countFailure(db: Connection, failed: FailedClaim): void {
  const { job, worker_id, report } = failed
  const isOfWorker = report?.class !== 'permanent' && report?.step !== 'publish'
  const key = { job_id: job.id, worker_id }
  if (!isOfWorker || db.row(statements.failedBefore, { ...key, attempt: job.attempt })) return
  const isOfJob = db.row(statements.failedElsewhere, { ...key, enough }) !== undefined
  db.change(statements.addFailure, { ...key, counts: isOfJob ? 0 : 1 })
  db.change(statements.keepNewestFailures, { worker_id, enough })
  const row = db.row<{ kept: number; counting: number }>(statements.failuresInRow, { worker_id })
  if ((row?.kept ?? 0) < enough) absolveOthers(db, key)
  if (!isOfJob) judge(db, failed, (row?.counting ?? 0) >= enough)
}

/** A worker that does not fail at everything failed the job too: whoever failed it before is not to blame. */
function absolveOthers(db: Connection, key: { job_id: string; worker_id: string }): void {
  for (const { worker_id } of db.rows<{ worker_id: string }>(statements.blameJob, key)) {
    db.change(statements.absolve, { worker_id, now_ms: db.clock() })
  }
}

function judge(db: Connection, { job, worker_id, error_message, heard_since }: FailedClaim, isEnough: boolean): void {
  const counted = { worker_id, reason: error_message }
  const standing = db.row<{ times: number; set_aside_until_ms: number | null }>(statements.countFailure, counted)
  if (!isEnough || !standing) return
  const { times, set_aside_until_ms } = standing
  // What was begun before the last pause ended tells nothing of the worker after it.
  if (set_aside_until_ms !== null && (job.started_at ?? '') < timestamp(set_aside_until_ms)) return
  // Where nobody else is there to do the work, a longer pause only delays it.
  const isAlone = db.row(statements.whoElseIsThere, { worker_id, heard_since }) === undefined
  const pause = isAlone ? firstPauseMs : Math.min(firstPauseMs * 2 ** times, longestPauseMs)
  db.change(statements.setAside, { worker_id, until_ms: db.clock() + pause })
}
