import { dirname } from 'node:path'
import { defaultPriority, type JobStatus } from '../../contract/job.ts'
import type { FoundSource, Store } from '../store.ts'
import type { Connection } from './connection.ts'
import { statements } from './statements.ts'

interface KnownSource {
  id: string
  source_path: string
  status: JobStatus
  attempt: number
  error_class: string | null
  output_path: string
  source_size: number | null
  source_mtime_ms: number | null
}

const noFreeName = 'every name that its result could have is taken by another job'

/** How sources become jobs. `max_retries` is what jobs added from now on get. */
export function sources(
  db: Connection,
  max_retries: number,
): Pick<Store, 'addSources' | 'updateSource' | 'forgetSource'> {
  return {
    async addSources(sources) {
      const counts = { added: 0, changed: 0, unchanged: 0 }
      db.atomically(() => {
        for (const source of sources) counts[addSource(db, source, max_retries)]++
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
}

function addSource(db: Connection, source: FoundSource, max_retries: number): 'added' | 'changed' | 'unchanged' {
  const { source_path, source_size, source_mtime_ms } = source
  const known = db.row<KnownSource>(statements.sourceByPath, { source_path })
  // What took a source's place is none itself, wherever it is moved or copied to.
  if (db.row(statements.isOwnResult, { source_size, source_mtime_ms })) return 'unchanged'
  if (!known) {
    insert(db, source, max_retries)
    return 'added'
  }
  if (known.status === 'processing') return 'unchanged'
  const fingerprint = { job_id: known.id, source_size: source.source_size, source_mtime_ms: source.source_mtime_ms }
  if (known.source_mtime_ms === null) db.change(statements.adoptSource, fingerprint)
  const isSame = known.source_mtime_ms === null || isUnchanged(known, source)
  // What only a scan refused (no attempt was made) is looked at anew: a setting may have changed since.
  const isScanned = known.status === 'failed' && known.attempt === 0 && known.error_class === 'permanent'
  const isCured = isScanned && source.problem === null
  if (isSame && !isCured) {
    if (known.status !== 'completed') moveOutput(db, known, source)
    // The rule may be newer than the job.
    if (known.status === 'pending' && source.problem === null) skipByRule(db, known.id, source)
    return 'unchanged'
  }
  if (db.change(statements.changeSource, fingerprint) === 0) return 'unchanged'
  const problem = source.problem ?? moveOutput(db, known, source)
  if (problem === null) skipByRule(db, known.id, source)
  else db.change(statements.rejectSource, { job_id: known.id, problem })
  return 'changed'
}

function skipByRule(db: Connection, job_id: string, { rule }: FoundSource): void {
  if (!rule?.skip_reason) return
  db.change(statements.skipSource, { job_id, skip_reason: rule.skip_reason, profile: rule.profile })
}

/** Gives a job another output when the one it has is no longer among those it may have; why it cannot, or null. */
function moveOutput(db: Connection, known: KnownSource, source: FoundSource): string | null {
  const isFree = (path: string) => isOutputFree(db, path, known)
  if (source.output_paths.includes(known.output_path) && isFree(known.output_path)) return null
  const output_path = source.output_paths.find(isFree)
  if (output_path === undefined) return noFreeName
  db.change(statements.moveOutput, { job_id: known.id, output_path })
  return null
}

function insert(db: Connection, source: FoundSource, max_retries: number): void {
  const free = source.output_paths.find((path) => isOutputFree(db, path, source))
  const problem = source.problem ?? (free === undefined ? noFreeName : null)
  const skip_reason = problem === null ? (source.rule?.skip_reason ?? null) : null
  db.change(statements.insertJob, {
    id: source.id,
    source_path: source.source_path,
    output_path: free ?? source.output_paths[0] ?? '',
    status: problem !== null ? 'failed' : skip_reason !== null ? 'skipped' : 'pending',
    error_message: problem,
    error_class: problem === null ? null : 'permanent',
    skip_reason,
    profile: skip_reason === null ? null : (source.rule?.profile ?? null),
    priority: source.rule?.priority ?? defaultPriority,
    max_retries,
    created_at: db.now(),
    source_size: source.source_size,
    source_mtime_ms: source.source_mtime_ms,
  })
}

/**
 * Whether no other job has a path for its result, or, in the same folder, as its source. A result that takes its source's
 * very place has the right to it before any other.
 */
export function isOutputFree(
  db: Connection,
  output_path: string,
  { id, source_path }: Pick<FoundSource, 'id' | 'source_path'>,
): boolean {
  if (output_path === source_path) return true
  if (db.row(statements.isOutputTaken, { output_path, id }) !== undefined) return false
  return (
    dirname(output_path) !== dirname(source_path) ||
    db.row(statements.sourceByPath, { source_path: output_path }) === undefined
  )
}

function isUnchanged(known: KnownSource, source: FoundSource): boolean {
  return known.source_size === source.source_size && known.source_mtime_ms === source.source_mtime_ms
}
