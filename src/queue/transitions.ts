import type { JobStatus } from '../contract/job.ts'

/**
 * Every act on a job and where it leads from each state. A state that an act does not name refuses it. The SQL takes
 * its lists from here, and a test walks the whole table against the store.
 */
export const transitions = {
  claim: { pending: 'processing' },
  complete: { processing: 'completed' },
  /** Also of a claim that was lost too often. */
  fail: { processing: 'failed' },
  skip: { processing: 'skipped' },
  /** By the worker itself, by its successor, or by the reaper when the lease ran out. */
  release: { processing: 'pending' },
  /** By a worker that cannot do it, while another is there that may. */
  refuse: { processing: 'pending' },
  /** Of a job that was refused and that no other worker took. */
  strand: { pending: 'failed' },
  retry: { failed: 'pending', cancelled: 'pending' },
  requeue: { completed: 'pending', failed: 'pending', cancelled: 'pending', skipped: 'pending' },
  /** The original of a replaced source is back. */
  undo: { completed: 'skipped' },
  cancel: { pending: 'cancelled', processing: 'cancelled', failed: 'cancelled' },
  /** The scanner found the source changed. One being processed is told apart when its result is handed in. */
  change: { pending: 'pending', completed: 'pending', failed: 'pending', cancelled: 'pending', skipped: 'pending' },
} as const satisfies Record<string, Partial<Record<JobStatus, JobStatus>>>

export type Act = keyof typeof transitions

/** The states in which an act is allowed. */
export function statesFor(act: Act): JobStatus[] {
  return Object.keys(transitions[act]) as JobStatus[]
}
