import type { Job } from '../contract/job.ts'
import type { Parts } from './parts.ts'
import { discardStaged, stagingPath } from './publish.ts'

/** Forgets what a job's attempt last said of itself, and removes what it left. */
export async function discardAttempt(parts: Pick<Parts, 'progress' | 'output_base'>, job: Job): Promise<void> {
  parts.progress.delete(job.id)
  await discardStaged(stagingPath(parts.output_base, job))
}
