import type { Job } from '../../contract/job.ts'
import { timestamp } from '../../util/clock.ts'
import type { ClaimKey, ClaimResult, ClaimSkip, Store } from '../store.ts'
import { recordAttempt } from './attempts.ts'
import type { Connection, Params } from './connection.ts'
import { countPath } from './paths.ts'
import { refuse } from './refusals.ts'
import { type JobRow, jobOf } from './rows.ts'
import { clearStanding, countFailure } from './standings.ts'
import { statements } from './statements.ts'

/** Claims in a row that may end with a lost worker before the job itself is held to be the cause. */
const maxLostClaims = 5
/** After every time that the contract can write. */
const never = '9999'

type ClaimSteps =
  | 'claim'
  | 'renew'
  | 'renewWorker'
  | 'renewAll'
  | 'beginPublish'
  | 'abandonPublish'
  | 'publishing'
  | 'complete'
  | 'skip'
  | 'fail'
  | 'learn'
  | 'release'
  | 'putBack'
  | 'yieldOutput'
  | 'releaseWorker'
  | 'reap'

/** The life of a claim, from the worker that takes a job to the end of its attempt. */
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

    async beginPublish(key, result) {
      const told = { ...toldBy(result), output_size: result.output_size }
      return db.job(statements.beginPublish, { ...ownership(key), ...told })
    },

    async abandonPublish(key) {
      return db.atomically(() => {
        const job = db.job(statements.abandonPublish, ownership(key))
        if (job) db.change(statements.forgetReplacement, { job_id: job.id, attempt: job.attempt })
        return job
      })
    },

    async publishing() {
      return db.rows<JobRow & { publish_size: number }>(statements.publishing, {}).map(({ publish_size, ...row }) => ({
        ...jobOf(row),
        publish_size,
      }))
    },

    async complete(key, result) {
      return db.atomically(() => {
        const job = db.job(statements.complete, {
          ...ownership(key),
          ...toldBy(result),
          now: db.now(),
          output_size: result.output_size,
          published_size: result.published?.size_bytes ?? -1,
          published_mtime_ms: result.published?.mtime_ms ?? null,
        })
        if (!job) return undefined
        recordAttempt(db, job, 'completed')
        db.change(statements.endReplacement, { job_id: job.id, attempt: job.attempt, now_ms: db.clock() })
        clearStanding(db, key.worker_id)
        if (result.ran_on) countPath(db, result.ran_on)
        return job
      })
    },

    async skip(key, skip) {
      return db.atomically(() => {
        const told = { ...toldBy(skip), reason: skip.reason }
        const job = db.job(statements.skip, { ...ownership(key), ...told })
        if (!job) return undefined
        recordAttempt(db, job, 'skipped', skip.reason)
        if (skip.ran_on) clearStanding(db, key.worker_id)
        return job
      })
    },

    async fail(key, failure) {
      return db.atomically(() => {
        const { error_message, report, retry_at_ms, ran_on } = failure
        const job = db.job(statements.fail, {
          ...ownership(key),
          error_message,
          error_class: report?.class ?? 'retryable',
          retry_at_ms,
          ran_on: textOf(ran_on),
        })
        if (!job) return undefined
        recordAttempt(db, job, 'failed', error_message, report)
        const heard_since = failure.heard_since_ms === undefined ? never : timestamp(failure.heard_since_ms)
        const failed = { job, worker_id: key.worker_id, report, error_message, heard_since }
        countFailure(db, failed)
        return report?.class === 'worker' ? refuse(db, failed) : job
      })
    },

    async learn(key, { source_facts, priority }) {
      const found = { source_facts: textOf(source_facts), priority }
      return db.job(statements.learn, { ...ownership(key), ...found })
    },

    async release(key, not_before_ms = 0) {
      return db.atomically(() => releaseClaim(key, not_before_ms))
    },

    async putBack(key, not_before_ms) {
      return db.job(statements.release, { ...ownership(key), not_before_ms, now_ms: db.clock() })
    },

    async yieldOutput(key) {
      return db.row(statements.yieldOutput, ownership(key)) !== undefined
    },

    async releaseWorker(worker_id) {
      return db.atomically(() => {
        const claims = db.rows<JobRow>(statements.claimsOfWorker, { worker_id }).map(jobOf)
        for (const { id, attempt } of claims) releaseClaim({ job_id: id, worker_id, attempt }, 0)
        return claims
      })
    },

    async reap() {
      return db.atomically(() => {
        const expired = db.rows<JobRow & { lost_count: number }>(statements.expiredClaims, {
          now_ms: db.clock(),
        })
        return expired.map(({ lost_count, ...row }) => lose(jobOf(row), lost_count))
      })
    },
  }

  function releaseClaim(key: ClaimKey, not_before_ms: number): Job | undefined {
    const before = db.job(statements.job, { job_id: key.job_id })
    const job = db.job(statements.release, { ...ownership(key), not_before_ms, now_ms: db.clock() })
    if (before && job) recordAttempt(db, before, 'released')
    return job
  }

  /** Gives a lost claim's job back, or ends it when too many workers were lost over it. */
  function lose(lost: Job, lost_count: number): Job {
    const key = { job_id: lost.id, worker_id: lost.worker_id, attempt: lost.attempt }
    const worker = lost.worker_id === null ? 'its worker' : `worker ${lost.worker_id}`
    recordAttempt(db, lost, 'lost', `${worker} was not heard from`)
    if (lost_count + 1 < maxLostClaims) return db.job(statements.lose, { ...key, now_ms: db.clock() }) ?? lost
    const error_message = `${maxLostClaims} workers in a row were lost while converting this file`
    const failure = { error_message, error_class: 'permanent', retry_at_ms: null, ran_on: null }
    return db.job(statements.fail, { ...key, ...failure }) ?? lost
  }
}

/** What a worker tells of how its claim ended well, as the columns hold it. */
function toldBy(ending: ClaimResult | ClaimSkip): Params {
  const { notes, profile, source_facts } = ending
  const seconds = 'source_duration' in ending ? ending.source_duration : undefined
  return {
    notes: JSON.stringify(notes),
    profile,
    ran_on: textOf(ending.ran_on),
    source_facts: textOf(source_facts),
    settings: textOf(ending.settings),
    score: textOf('score' in ending ? ending.score : null),
    source_duration: seconds ?? source_facts?.duration_seconds ?? null,
  }
}

function textOf(record: object | null): string | null {
  return record && JSON.stringify(record)
}

/** The parameters of the statements that only a claim's owner may run. */
export function ownership(key: ClaimKey): Params {
  return { job_id: key.job_id, worker_id: key.worker_id, attempt: key.attempt ?? null }
}
