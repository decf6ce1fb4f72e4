import type { JobView } from '../../src/contract/job.ts'
import type { World } from './world.ts'

/** All jobs whose source's path holds a text; undefined while the master does not answer. */
export async function jobsOf({ api }: World, search?: string): Promise<JobView[] | undefined> {
  const found: JobView[] = []
  let after: string | undefined
  try {
    do {
      const page = await api.jobs({ search, limit: 1000, after }, AbortSignal.timeout(5000))
      found.push(...page.jobs)
      after = page.next ?? undefined
    } while (after !== undefined)
    return found
  } catch {
    return undefined
  }
}

/** Whether nothing more will happen to a job by itself. */
export function isOver({ status, retry_at_ms }: JobView): boolean {
  return (
    status === 'completed' ||
    status === 'skipped' ||
    status === 'cancelled' ||
    (status === 'failed' && retry_at_ms === null)
  )
}
