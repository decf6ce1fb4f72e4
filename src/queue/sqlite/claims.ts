import type { Job } from '../../contract/job.ts'
import type { ClaimKey, Store } from '../store.ts'
import { recordAttempt } from './attempts.ts'
import type { Connection, Params } from './connection.ts'
import { type JobRow, jobOf } from './rows.ts'
import { statements } from './statements.ts'

/** Claims in a row that may end with a lost worker before the job itself is held to be the cause. */
const maxLostClaims = 5

type ClaimSteps =
  | 'claim'
  | 'nextFor'
  | 'renew'
  | 'renewWorker'
  | 'renewAll'
  | 'release'
  | 'putBack'
  | 'releaseWorker'
  | 'reap'

/** How claims are taken, held, given back and lost. */
export function claims(db: Connection): Pick<Store, ClaimSteps> {
  return {
    async claim(claim) {
      return db.atomically(() => {
        const { worker_id, request_id, max_source_bytes = null } = claim
        const again = request_id === null ? undefined : db.row<JobRow>(statements.claimed, { worker_id, request_id })
        if (again) return jobOf(again)
        const now_ms = db.clock()
        const asked = { worker_id, request_id, max_source_bytes, now: db.now(), now_ms }
        const taken = { ...asked, lease_expires_ms: now_ms + claim.lease_ms }
        // The one whose turn it is fits as a rule: then it costs no more than without a limit.
        return (
          db.job(statements.claim, taken) ??
          (max_source_bytes === null ? undefined : db.job(statements.claimFitting, taken))
        )
      })
    },

    async nextFor(worker_id, before_id) {
      return db.job(statements.nextFor, { worker_id, before_id: before_id ?? null, now_ms: db.clock() })
    },

    async renew(key, lease_ms) {
      const lease_expires_ms = db.clock() + lease_ms
      return db.row(statements.renew, { ...ownership(key), lease_expires_ms }) !== undefined
    },

    async renewWorker(worker_id, lease_ms) {
      db.change(statements.renewWorker, { worker_id, lease_expires_ms: db.clock() + lease_ms })
    },

    async renewAll(lease_ms) {
      db.change(statements.renewAll, { lease_expires_ms: db.clock() + lease_ms })
    },

    async release(key, not_before_ms = 0) {
      return db.atomically(() => releaseClaim(db, key, not_before_ms))
    },

    async putBack(key, not_before_ms) {
      return db.job(statements.release, { ...ownership(key), not_before_ms, now_ms: db.clock() })
    },

    async releaseWorker(worker_id) {
      return db.atomically(() => {
        const claims = db.rows<JobRow>(statements.claimsOfWorker, { worker_id }).map(jobOf)
        for (const { id, attempt } of claims) releaseClaim(db, { job_id: id, worker_id, attempt }, 0)
        return claims
      })
    },

    async reap() {
      return db.atomically(() => {
        const expired = db.rows<JobRow & { lost_count: number }>(statements.expiredClaims, {
          now_ms: db.clock(),
        })
        return expired.map(({ lost_count, ...row }) => lose(db, jobOf(row), lost_count))
      })
    },
  }
}

function releaseClaim(db: Connection, key: ClaimKey, not_before_ms: number): Job | undefined {
  const before = db.job(statements.job, { job_id: key.job_id })
  const job = db.job(statements.release, { ...ownership(key), not_before_ms, now_ms: db.clock() })
  if (before && job) recordAttempt(db, before, 'released')
  return job
}

/** Gives a lost claim's job back, or ends it when too many workers were lost over it. */
function lose(db: Connection, lost: Job, lost_count: number): Job {
  const key = { job_id: lost.id, worker_id: lost.worker_id, attempt: lost.attempt }
  const worker = lost.worker_id === null ? 'its worker' : `worker ${lost.worker_id}`
  recordAttempt(db, lost, 'lost', `${worker} was not heard from`)
  if (lost_count + 1 < maxLostClaims) return db.job(statements.lose, { ...key, now_ms: db.clock() }) ?? lost
  const error_message = `${maxLostClaims} workers in a row were lost while converting this file`
  const failure = { error_message, error_class: 'permanent', retry_at_ms: null, ran_on: null }
  return db.job(statements.fail, { ...key, ...failure }) ?? lost
}

/** The parameters of the statements that only a claim's owner may run. */
export function ownership(key: ClaimKey): Params {
  return { job_id: key.job_id, worker_id: key.worker_id, attempt: key.attempt ?? null }
}
