import { isDeepStrictEqual } from 'node:util'
import type { ConfiguredProfile, SourceCondition } from '../contract/profile.ts'
import { type ConfigProblem, quoted } from './problems.ts'
import type { LoadedProfile, ProfileContext } from './profiles.ts'
import { rules } from './rules.ts'

/** What profiles demand that cannot be, within each and between them; each with its line. */
export function profileConflicts(loaded: readonly LoadedProfile[], context: ProfileContext): ConfigProblem[] {
  return loaded.flatMap((one, index) => [
    ...ownConflicts(one),
    ...brokenRules(one, context),
    ...conflictsWithEarlier(one, loaded.slice(0, index)),
  ])
}

function ownConflicts(loaded: LoadedProfile): ConfigProblem[] {
  const { set, profile } = loaded
  const found: ConfigProblem[] = []
  for (const what of ['height', 'bitrate', 'duration'] as const) {
    const { [`min_${what}` as const]: min, [`max_${what}` as const]: max } = profile.when
    if (min !== undefined && max !== undefined && min > max) {
      found.push(problem(loaded, `when.max_${what}`, `expected at least min_${what}, or no file is meant`))
    }
  }
  if (!profile.skip) return found
  const conversion = [...set.keys()].find((name) => name.startsWith('conversion.'))
  if (conversion !== undefined && profile.when.compliant === undefined) {
    const message = 'expected no conversion with skip: true, unless when.compliant compares with it'
    found.push(problem(loaded, conversion, message))
  }
  if (set.has('priority')) {
    found.push(problem(loaded, 'priority', 'expected no priority with skip: true, what is skipped has no turn'))
  }
  return found
}

/** The rules between keys of the conversion, for those that the profile sets. */
function brokenRules(loaded: LoadedProfile, { config, isSet, doubtful }: ProfileContext): ConfigProblem[] {
  const { set, profile } = loaded
  const own = (key: string) => set.has(key)
  const merged = { ...config, conversion: { ...config.conversion, ...profile.settings } }
  const found = rules.flatMap((rule) => {
    const key = rule.keys.find(own)
    if (key === undefined || rule.keys.some((one) => doubtful.has(one) && !own(one))) return []
    const message = rule.conflict(merged, { isSet: (one) => own(one) || isSet(one), isInFile: own })
    return message === undefined ? [] : [problem(loaded, key, message)]
  })
  const isBitrateIdle = own('conversion.bitrate') && profile.settings.quality !== null && !own('conversion.quality')
  if (isBitrateIdle) {
    const message = `conversion.quality (${profile.settings.quality}) decides here too: set quality: null beside it`
    found.push(problem(loaded, 'conversion.bitrate', message))
  }
  return found
}

function conflictsWithEarlier(loaded: LoadedProfile, earlier: readonly LoadedProfile[]): ConfigProblem[] {
  const { profile } = loaded
  const namesake = earlier.find((one) => one.profile.name === profile.name)
  if (namesake) return [problem(loaded, 'name', `taken by the profile on line ${lineOf(namesake)}`)]
  const rival = earlier.find((one) => takesAllOf(one.profile, profile))
  if (!rival) return []
  const message = `nothing is left for it: ${quoted(rival.profile.name)} on line ${lineOf(rival)} takes every file that it would`
  return [problem(loaded, 'name', message)]
}

/** Whether every source that the later profile holds for has gone to the earlier one, as far as their words tell. */
function takesAllOf(earlier: ConfiguredProfile, later: ConfiguredProfile): boolean {
  const { path } = earlier
  const isPathHeld =
    path === null || (later.path?.every((pattern) => path.includes(pattern) || path.some(isForAll)) ?? false)
  if (!isPathHeld || !isImplied(earlier.when, later.when)) return false
  return earlier.when.compliant === undefined || isDeepStrictEqual(earlier.settings, later.settings)
}

/** Whether a pattern fits every path below the source folder; a profile without patterns also takes what lies elsewhere. */
function isForAll(pattern: string): boolean {
  return /^\*\*(\/\*{1,2})*$/.test(pattern)
}

/** Whether what meets the stricter conditions meets the others too. */
function isImplied(when: SourceCondition, stricter: SourceCondition): boolean {
  return (
    (when.codec === undefined || (stricter.codec?.every((codec) => when.codec?.includes(codec)) ?? false)) &&
    (when.hdr === undefined || when.hdr === stricter.hdr) &&
    (when.compliant === undefined || when.compliant === stricter.compliant) &&
    isNarrower([when.min_height, when.max_height], [stricter.min_height, stricter.max_height]) &&
    isNarrower([when.min_bitrate, when.max_bitrate], [stricter.min_bitrate, stricter.max_bitrate]) &&
    isNarrower([when.min_duration, when.max_duration], [stricter.min_duration, stricter.max_duration])
  )
}

type Span = readonly [min: number | undefined, max: number | undefined]

/** A bound of either kind also demands that the figure is known, which no bound does not. */
function isNarrower([min, max]: Span, [narrowMin, narrowMax]: Span): boolean {
  return (
    (min === undefined || (narrowMin !== undefined && narrowMin >= min)) &&
    (max === undefined || (narrowMax !== undefined && narrowMax <= max))
  )
}

function problem({ key, origin, set }: LoadedProfile, name: string, message: string): ConfigProblem {
  return { source: origin.file, line: set.get(name)?.line ?? origin.line, key: `${key}.${name}`, message }
}

function lineOf({ origin, set }: LoadedProfile): number {
  return set.get('name')?.line ?? origin.line
}
