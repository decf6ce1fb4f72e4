import * as v from 'valibot'
import { PictureScore } from '../../contract/conversion.ts'
import { GpuReport, RanOn } from '../../contract/gpu.ts'
import type { Attempt, Job } from '../../contract/job.ts'
import { SourceFacts } from '../../contract/profile.ts'
import type { WorkerRow } from '../store.ts'

/** A row as SQLite gives it: lists and records as JSON text, yes and no as 1 and 0. */
export type JobRow = Omit<Job, 'notes' | 'ran_on' | 'source_facts' | 'score'> & {
  notes: string
  ran_on: string | null
  source_facts: string | null
  score: string | null
}
export type AttemptRow = Omit<Attempt, 'command' | 'ran_on'> & { command: string; ran_on: string | null }
export type WorkerTableRow = Omit<WorkerRow, 'vulkan_available' | 'gpu_report'> & {
  vulkan_available: number | null
  gpu_report: string | null
}

export function jobOf(row: JobRow): Job {
  return {
    ...row,
    notes: JSON.parse(row.notes) as string[],
    ran_on: recordOf(RanOn, row.ran_on),
    source_facts: recordOf(SourceFacts, row.source_facts),
    score: recordOf(PictureScore, row.score),
  }
}

export function attemptOf(row: AttemptRow): Attempt {
  return { ...row, command: JSON.parse(row.command) as string[], ran_on: recordOf(RanOn, row.ran_on) }
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
    gpu_report: recordOf(GpuReport, row.gpu_report),
  }
}

/** A record of the contract; null also for a text that an older or newer program wrote and that does not fit this one's. */
export function recordOf<Schema extends v.GenericSchema>(
  schema: Schema,
  text: string | null,
): v.InferOutput<Schema> | null {
  if (text === null) return null
  try {
    const record = v.safeParse(schema, JSON.parse(text))
    return record.success ? record.output : null
  } catch {
    return null
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
