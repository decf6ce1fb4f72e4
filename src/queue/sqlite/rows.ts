import type { Attempt, Job } from '../../contract/job.ts'
import type { WorkerRow } from '../store.ts'

/** A row as SQLite gives it: lists as JSON text, yes and no as 1 and 0. Our own columns hold only what our statements wrote. */
export type JobRow = Omit<Job, 'notes'> & { notes: string }
export type AttemptRow = Omit<Attempt, 'command'> & { command: string }
export type WorkerTableRow = Omit<WorkerRow, 'vulkan_available'> & { vulkan_available: number | null }

export function jobOf(row: JobRow): Job {
  return { ...row, notes: JSON.parse(row.notes) as string[] }
}

export function attemptOf(row: AttemptRow): Attempt {
  return { ...row, command: JSON.parse(row.command) as string[] }
}

/** The original left columns empty that ours always fills. */
export function workerOf(row: WorkerTableRow): WorkerRow {
  return {
    ...row,
    vulkan_available: row.vulkan_available === 1,
    active_jobs: row.active_jobs ?? 0,
    gpu_name: row.gpu_name ?? '',
    cpu_usage: row.cpu_usage ?? 0,
    memory_usage: row.memory_usage ?? 0,
  }
}

/** Where a page of jobs ended, as the opaque text that callers hand back. */
export function encodeCursor(row: { created_at: string; rowid: number }): string {
  return `${row.rowid}@${row.created_at}`
}

/** The reverse; undefined for a text that was never a cursor. */
export function decodeCursor(cursor: string): { after_created_at: string; after_rowid: number } | undefined {
  const match = /^(\d{1,15})@(.+)$/.exec(cursor)
  if (!match) return undefined
  return { after_rowid: Number(match[1]), after_created_at: match[2] ?? '' }
}
