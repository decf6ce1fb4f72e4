import type { Container, ConversionSettings } from '../contract/conversion.ts'
import { firstHolding } from '../contract/holds.ts'
import { defaultPriority, type Job } from '../contract/job.ts'
import type { Profile } from '../contract/profile.ts'
import { containerNamed } from './outputs.ts'
import type { Parts } from './parts.ts'
import { surelyHolding } from './path-profiles.ts'

type Rules = Pick<Parts, 'settings' | 'profilesOf'>
type Known = Pick<Job, 'source_path' | 'output_path' | 'source_facts'>

/** The profiles that may hold for a job's source, by its path, with settings for the container of its output. */
export function profilesFor({ profilesOf, settings }: Rules, job: Known): Profile[] {
  const container = containerOf(settings, job)
  return profilesOf(job.source_path).map((profile) => ({ ...profile, settings: { ...profile.settings, container } }))
}

/** The profile that holds for a job, as far as its source is known; undefined where none does or nobody can tell yet. */
export function profileOf(rules: Rules, job: Known): Profile | undefined {
  const profiles = profilesFor(rules, job)
  if (job.source_facts === null) return surelyHolding(profiles)
  return firstHolding(profiles, { source_path: job.source_path, facts: job.source_facts })
}

/** The settings for a job with a profile, or without one. */
export function settingsOf(rules: Rules, job: Known, profile: Profile | undefined): ConversionSettings {
  return profile?.settings ?? { ...rules.settings, container: containerOf(rules.settings, job) }
}

/** Whether a job has the usual priority, or the one that its path gave it: as far as that tells, nobody asked for another. */
export function hasOwnPriority({ profilesOf }: Rules, job: Pick<Job, 'source_path' | 'priority'>): boolean {
  return job.priority === defaultPriority || job.priority === surelyHolding(profilesOf(job.source_path))?.priority
}

/** A job that was added under another setting keeps the container that its output is named for. */
export function containerOf(
  { container }: Pick<ConversionSettings, 'container'>,
  { output_path }: Pick<Job, 'output_path'>,
): Container {
  return containerNamed(output_path) ?? container
}
