import { relative, sep } from 'node:path'
import { skipByProfile } from '../contract/holds.ts'
import { type ConfiguredProfile, isUnconditional, type Profile } from '../contract/profile.ts'
import type { SourceRule } from '../queue/store.ts'

/** What rules a path falls under before anybody has looked at its file. */
export type ProfilesOfPath = (source_path: string) => Profile[]

/**
 * The profiles that may hold for a source path, in their order, up to and including the first that surely does.
 * Letter case and Unicode form do not count: shares to other systems do not tell them apart either.
 */
export function profilesOfPath(profiles: readonly ConfiguredProfile[], root_path: string): ProfilesOfPath {
  const rules = profiles.map(({ path, ...profile }) => ({
    profile,
    globs: path?.map((pattern) => new Bun.Glob(plain(pattern))) ?? null,
  }))
  return (source_path) => {
    const path = plain(relative(root_path, source_path).split(sep).join('/'))
    // The original's queue may hold sources of other folders.
    const isBelow = !path.startsWith('../')
    const fitting = rules.filter(({ globs }) => globs === null || (isBelow && globs.some((glob) => glob.match(path))))
    const last = fitting.findIndex(({ profile }) => isUnconditional(profile))
    return fitting.slice(0, last === -1 ? undefined : last + 1).map(({ profile }) => profile)
  }
}

/** The profile that holds for a path whatever its file is: the first that fits, where that asks nothing else. */
export function surelyHolding([first]: readonly Profile[]): Profile | undefined {
  return first && isUnconditional(first) ? first : undefined
}

/** What is decided of a source by the profiles of its path before anybody looks at it; null for nothing. */
export function ruleOf(profiles: readonly Profile[]): SourceRule | null {
  const profile = surelyHolding(profiles)
  if (!profile) return null
  const skip_reason = profile.skip ? skipByProfile(profile) : null
  return { profile: profile.name, priority: profile.priority, skip_reason }
}

function plain(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
