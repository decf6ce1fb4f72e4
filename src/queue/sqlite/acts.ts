import type { Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { recordAttempt } from './attempts.ts'
import { statements } from './statements.ts'

type Acts = 'retryDue' | 'retry' | 'retryFailed' | 'requeue' | 'requeueEnded' | 'cancel' | 'prioritize'

/** What time and people do to jobs. */
export function acts(db: Connection): Pick<Store, Acts> {
  return {
    async retryDue() {
      return db.rows(statements.retryDue, { now_ms: db.clock() }).length
    },

    async retry(job_id) {
      return db.job(statements.retry, { job_id })
    },

    async retryFailed(limit) {
      return db.rows(statements.retryFailed, { limit }).length
    },

    async requeue(job_id) {
      return db.job(statements.requeue, { job_id })
    },

    async requeueEnded(jobs) {
      return db.atomically(() => jobs.reduce((count, job) => count + db.change(statements.requeueEnded, { ...job }), 0))
    },

    async cancel(job_id) {
      return db.atomically(() => {
        const before = db.job(statements.job, { job_id })
        const job = db.job(statements.cancel, { job_id })
        if (job && before?.status === 'processing') recordAttempt(db, before, 'cancelled')
        return job
      })
    },

    async prioritize(job_id, priority) {
      return db.job(statements.prioritize, { job_id, priority })
    },
  }
}
