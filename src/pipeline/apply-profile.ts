import type { ConversionSettings } from '../contract/conversion.ts'
import type { ConversionRecord } from '../contract/conversion-record.ts'
import { firstHolding, skipByProfile } from '../contract/holds.ts'
import type { Profile, SourceFacts } from '../contract/profile.ts'
import { PostponedError } from './postponed-error.ts'
import { SkippedError } from './skipped-error.ts'

/** What decides how a source is converted, once it is known. */
export interface ProfileChoice {
  source_path: string
  /** Those that may hold for the source's path, in their order. */
  profiles?: readonly Profile[] | undefined
  /** What holds where no profile does. */
  settings: ConversionSettings
  /** 0 to 10: the turn that the job was given before its source was looked at; null when it is not to be put off. */
  priority?: number | null | undefined
}

/**
 * The settings in force for a source, and the profile that they are of. Throws `SkippedError`, with a record that has no
 * settings, where the profile wants the source skipped, and `PostponedError` where it gives others the turn.
 */
export function applyProfile(
  { source_path, profiles = [], settings, priority = null }: ProfileChoice,
  source_facts: SourceFacts,
): ConversionRecord & { settings: ConversionSettings } {
  const profile = firstHolding(profiles, { source_path, facts: source_facts })
  if (profile === undefined) return { source_facts, profile: null, settings }
  if (profile.skip) {
    const skipped = new SkippedError(skipByProfile(profile, source_facts))
    skipped.record = { source_facts, profile: profile.name, settings: null }
    throw skipped
  }
  if (profile.priority !== null && priority !== null && profile.priority < priority) {
    throw new PostponedError(`profile ${profile.name} gives it priority ${profile.priority}`, source_facts)
  }
  return { source_facts, profile: profile.name, settings: profile.settings }
}
