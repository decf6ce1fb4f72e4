import type { Replacements, StoredReplacement } from '../replacements.ts'
import { ownership } from './claims.ts'
import type { Connection } from './connection.ts'
import { isOutputFree } from './sources.ts'
import { statements } from './statements.ts'

/** The journal of replacements, in a table of its own. */
export function replacements(db: Connection): Replacements {
  const newest = (job_id: string) => db.row<StoredReplacement>(statements.replacement, { job_id })
  return {
    async beginReplacement({ worker_id }, replacement) {
      return db.atomically(() => {
        db.change(statements.beginReplacement, { ...replacement, worker_id })
        const noted = newest(replacement.job_id)
        return noted?.attempt === replacement.attempt && noted.state === 'swapping' ? noted : undefined
      })
    },

    async replacement(job_id) {
      return newest(job_id)
    },

    async undoing() {
      return db.rows<StoredReplacement>(statements.undoing, {})
    },

    async beginUndo(job_id) {
      return db.row<StoredReplacement>(statements.beginUndo, { job_id })
    },

    async abandonUndo({ job_id, attempt }) {
      db.change(statements.abandonUndo, { job_id, attempt })
    },

    async endUndo({ job_id, attempt }, reason) {
      return db.atomically(() => {
        const isEnded = db.change(statements.endUndo, { job_id, attempt }) > 0
        return isEnded ? db.job(statements.undo, { job_id, attempt, reason }) : undefined
      })
    },

    async dueOriginals(due) {
      return db.rows<StoredReplacement>(statements.dueOriginals, due)
    },

    async forgetOriginal({ job_id, attempt }) {
      return db.change(statements.forgetOriginal, { job_id, attempt }) > 0
    },

    async placeOutput(key, output_paths) {
      return db.atomically(() => {
        const job = db.job(statements.job, { job_id: key.job_id })
        const output_path = job && output_paths.find((path) => isOutputFree(db, path, job))
        return output_path === undefined
          ? undefined
          : db.job(statements.placeOutput, { ...ownership(key), output_path })
      })
    },
  }
}
