import { stringify } from 'yaml'
import type { ConfiguredProfile } from '../contract/profile.ts'
import { printable } from '../util/format.ts'
import type { LoadedProfile, PlainProfile } from './profiles.ts'

/** The profiles as data, beside the rows of the keys. */
export interface ProfilesRow {
  key: 'profiles'
  /** As in Config: milliseconds, bits per second, the whole settings of each. */
  value: readonly ConfiguredProfile[]
  /** As people write them: only what each sets. */
  written: readonly PlainProfile[]
  /** Where each begins. */
  origin: readonly { file: string; line: number }[]
  doc: string
}

/** All profiles in their order; plain data for JSON. */
export function profilesRow(profiles: readonly LoadedProfile[]): ProfilesRow {
  return {
    key: 'profiles',
    value: profiles.map(({ profile }) => profile),
    written: profiles.map(({ written }) => written),
    origin: profiles.map(({ origin }) => origin),
    doc: 'rules for single sources: the first that holds decides',
  }
}

/** The same as YAML that can be loaded again; in front of each stands where it came from. */
export function formatProfiles(profiles: readonly LoadedProfile[]): string {
  if (profiles.length === 0) return 'profiles: []\n'
  const texts = profiles.map(({ origin: { file, line }, written }) => {
    const yaml = stringify([written], { lineWidth: 0 }).trimEnd().replaceAll(/^/gm, '  ')
    return `  # ${printable(file)}:${line}\n${yaml}\n`
  })
  return `profiles:\n${texts.join('')}`
}
