import { firstHolding } from '../contract/holds.ts'
import type { SourceFacts } from '../contract/profile.ts'
import type { ClaimKey } from '../queue/store.ts'
import { isOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { hasOwnPriority, profilesFor } from './settings-of.ts'

/**
 * Notes what a worker found a source to be, and gives the job the priority of the profile that then holds, unless a person
 * has given it another. What is to be said of it, a clause; undefined when the claim is not the caller's.
 */
export async function postpone(parts: Parts, key: ClaimKey, source_facts: SourceFacts): Promise<string | undefined> {
  const job = await parts.store.job(key.job_id)
  if (!job || !isOwner(job, key)) return undefined
  const profile = firstHolding(profilesFor(parts, job), { source_path: job.source_path, facts: source_facts })
  const priority = profile && hasOwnPriority(parts, job) ? profile.priority : null
  await parts.store.learn(key, { source_facts, priority })
  return priority === null ? undefined : `profile ${profile?.name} gives it priority ${priority}: others go first`
}
