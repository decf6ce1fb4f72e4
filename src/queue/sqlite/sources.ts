import type { FoundSource, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

/** How sources become jobs. `max_retries` is what jobs added from now on get. */
export function sources(
  db: Connection,
  max_retries: number,
): Pick<Store, 'addSources' | 'updateSource' | 'forgetSource'> {
  return {
    async addSources(sources) {
      const counts = { added: 0, changed: 0, unchanged: 0 }
      db.atomically(() => {
        for (const source of sources) counts[addSource(source)]++
      })
      return counts
    },

    async updateSource(job_id, source) {
      db.change(statements.adoptSource, { job_id, ...source })
    },

    async forgetSource(job_id) {
      db.change(statements.forgetSource, { job_id })
    },
  }

  function addSource(source: FoundSource): 'added' | 'changed' | 'unchanged' {
    const { source_path, source_size, source_mtime_ms } = source
    const known = db.row<{ id: string; source_size: number | null; source_mtime_ms: number | null }>(
      statements.sourceByPath,
      { source_path },
    )
    if (!known) {
      insert(source)
      return 'added'
    }
    const fingerprint = { job_id: known.id, source_size, source_mtime_ms }
    if (known.source_mtime_ms === null) {
      db.change(statements.adoptSource, fingerprint)
      return 'unchanged'
    }
    if (known.source_size === source_size && known.source_mtime_ms === source_mtime_ms) return 'unchanged'
    if (db.change(statements.changeSource, fingerprint) === 0) return 'unchanged'
    if (source.problem !== null) db.change(statements.rejectSource, { job_id: known.id, problem: source.problem })
    return 'changed'
  }

  function insert(source: FoundSource): void {
    const output_path =
      source.output_paths.find((path) => !db.row(statements.isOutputTaken, { output_path: path })) ??
      source.output_paths.at(-1)
    db.change(statements.insertJob, {
      id: source.id,
      source_path: source.source_path,
      output_path: output_path ?? '',
      status: source.problem === null ? 'pending' : 'failed',
      error_message: source.problem,
      error_class: source.problem === null ? null : 'permanent',
      max_retries: max_retries,
      created_at: db.now(),
      source_size: source.source_size,
      source_mtime_ms: source.source_mtime_ms,
    })
  }
}
