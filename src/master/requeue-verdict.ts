import { isUnconditional, type Profile } from '../contract/profile.ts'
import type { EndedJob } from '../queue/store.ts'
import type { Parts } from './parts.ts'
import { profileOf, profilesFor, settingsOf } from './settings-of.ts'
import { settingsChanges, sizeBoundChange } from './settings-changes.ts'

/** Whether a job that has come to its end would come to another one today. */
export type Verdict =
  | { state: 'same' }
  /** It, or its source, was ended by who did not tell by which settings. */
  | { state: 'unknown' }
  /** It would, but its result has taken the source's place. */
  | { state: 'replaced' }
  /** `profile` holds now, null for none; `changes` says what is different, a clause each. */
  | { state: 'changed'; profile: Profile | null; changes: string[] }

/** Compares what a completed or skipped job was made with to what holds for it now. */
export function requeueVerdict(parts: Pick<Parts, 'settings' | 'profilesOf'>, job: EndedJob): Verdict {
  const profile = profileOf(parts, job)
  // What is converted is there already, and what is skipped stays so.
  if (profile?.skip) return { state: 'same' }
  const changed = (changes: string[]): Verdict => {
    if (changes.length === 0) return { state: 'same' }
    return job.is_replacement ? { state: 'replaced' } : { state: 'changed', profile: profile ?? null, changes }
  }
  if (job.converted_with === null) {
    if (job.status === 'completed') return { state: 'unknown' }
    // Without a profile, something else than settings decided: an undo, a file with further names.
    return changed(job.profile === null ? [] : [`not skipped by profile ${job.profile} any more`])
  }
  if (job.source_facts === null && !isDecidedByPath(parts, job)) return { state: 'unknown' }
  const now = settingsOf(parts, job, profile)
  const bound = job.status === 'skipped' ? sizeBoundChange(job.converted_with, now) : []
  return changed([...settingsChanges(job.converted_with, now, job.source_facts), ...bound])
}

function isDecidedByPath(parts: Pick<Parts, 'settings' | 'profilesOf'>, job: EndedJob): boolean {
  const [first] = profilesFor(parts, job)
  return first === undefined || isUnconditional(first)
}
