import { timestamp } from '../../util/clock.ts'
import type { ClaimResult, ClaimSkip, Store } from '../store.ts'
import { recordAttempt } from './attempts.ts'
import { ownership } from './claims.ts'
import type { Connection, Params } from './connection.ts'
import { countPath } from './paths.ts'
import { refuse } from './refusals.ts'
import { type JobRow, jobOf } from './rows.ts'
import { clearStanding, countFailure } from './standings.ts'
import { statements } from './statements.ts'

/** After every time that the contract can write. */
const never = '9999'

type ClaimEnds =
  | 'learn'
  | 'beginPublish'
  | 'abandonPublish'
  | 'publishing'
  | 'yieldOutput'
  | 'complete'
  | 'skip'
  | 'fail'

/** What a claim's owner tells of it, to the end of its attempt. */
export function claimEnds(db: Connection): Pick<Store, ClaimEnds> {
  return {
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

    async yieldOutput(key) {
      return db.row(statements.yieldOutput, ownership(key)) !== undefined
    },
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
