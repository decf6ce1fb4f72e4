import type { ConfiguredProfile, SourceCondition } from '../contract/profile.ts'
import type { ConfigProblem } from './problems.ts'
import { profileConflicts } from './profile-conflicts.ts'
import { profileKeys } from './profile-keys.ts'
import type { KeyName, Sections } from './schema.ts'
import { profilesName, readWritten } from './setting.ts'
import type { Plain } from './values.ts'
import type { WrittenProfile } from './yaml-profiles.ts'

/** A profile as people write it: only what was set, each value in its usual spelling. */
export type PlainProfile = Record<string, Plain | null | Record<string, Plain | null>>

/** A profile with where it came from. */
export interface LoadedProfile {
  profile: ConfiguredProfile
  written: PlainProfile
  origin: { file: string; line: number }
  /** The name that problems with it carry, `profiles.2`. */
  key: string
  /** What it sets, by the names of `profileKeys`, and on which line of the file. */
  set: ReadonlyMap<string, { line: number; value: unknown }>
}

/** What profiles are read against. */
export interface ProfileContext {
  /** The name of their file. */
  file: string
  /** The settings that each profile changes. */
  config: Sections
  /** Whether somebody set a key, in whichever way. */
  isSet: (key: KeyName) => boolean
  /** Keys whose values are in doubt, because they have problems of their own. */
  doubtful: ReadonlySet<string | null>
}

/** The profiles with their whole settings; what is wrong with them, alone and together, is added to `problems`. */
export function readProfiles(
  written: readonly WrittenProfile[],
  context: ProfileContext,
  problems: ConfigProblem[],
): LoadedProfile[] {
  const loaded = written.map((one) => readProfile(one, context, problems))
  // A profile of which a part was not understood would conflict with what nobody meant.
  const isDoubtful = problems.some(({ key }) => key?.split('.')[0] === profilesName)
  if (!isDoubtful) problems.push(...profileConflicts(loaded, context))
  return loaded
}

function readProfile(
  { key, line, values }: WrittenProfile,
  { file, config }: ProfileContext,
  problems: ConfigProblem[],
): LoadedProfile {
  const set: Map<string, { line: number; value: unknown }> = new Map()
  const report = (name: string, message: string, at: number) =>
    problems.push({ source: file, line: at, key: `${key}.${name}`, message })
  for (const [name, { line: at, written }] of values) {
    const type = profileKeys.get(name)?.type
    if (!type) continue
    const value =
      written === null ? null : readWritten(type, written, (message, own) => report(name, message, own ?? at))
    if (value !== undefined) set.set(name, { line: at, value })
  }
  if (!values.has('name')) report('name', 'expected a name, found nothing', line)
  return { profile: assemble(set, config.conversion), written: writtenOf(set), origin: { file, line }, key, set }
}

/** Each value was read by the rule of its key, which is what makes it a profile. */
function assemble(set: LoadedProfile['set'], conversion: Sections['conversion']): ConfiguredProfile {
  const { overwrite: _, ...base } = conversion
  const valueOf = (name: string) => set.get(name)?.value
  return {
    name: String(valueOf('name')),
    path: (valueOf('path') as readonly string[] | undefined) ?? null,
    when: conditionOf(partOf(set, 'when')),
    skip: valueOf('skip') === true,
    priority: (valueOf('priority') as number | undefined) ?? null,
    settings: { ...base, ...partOf(set, 'conversion') },
  }
}

/** The contract counts seconds. */
function conditionOf(when: Record<string, unknown>): SourceCondition {
  return Object.fromEntries(
    Object.entries(when).map(([name, value]) => [name, name.endsWith('_duration') ? Number(value) / 1000 : value]),
  )
}

function partOf(set: LoadedProfile['set'], part: string): Record<string, unknown> {
  return Object.fromEntries(
    [...set].flatMap(([name, { value }]) =>
      name.startsWith(`${part}.`) ? [[name.slice(part.length + 1), value]] : [],
    ),
  )
}

function writtenOf(set: LoadedProfile['set']): PlainProfile {
  const written: Record<string, Plain | null | Record<string, Plain | null>> = {}
  for (const [key, { type }] of profileKeys) {
    const found = set.get(key)
    if (found === undefined) continue
    const plain = found.value === null ? null : type.format(found.value)
    const [part = '', name] = key.split('.')
    if (name === undefined) written[part] = plain
    else written[part] = { ...(written[part] as Record<string, Plain | null> | undefined), [name]: plain }
  }
  return written
}
