import { nearest } from './nearest.ts'
import { type ConfigProblem, quoted } from './problems.ts'
import { keys, schema, type KeyName } from './schema.ts'
import type { ValueType } from './values.ts'

/** Where a value came from. `flag` and `environment` are the names as a person types them. */
export type Origin = 'default' | { file: string; line: number } | { environment: string } | { flag: string }

/** The text of a single value, or the items of a YAML list, each with its line. */
export type Written = string | readonly { text: string; line: number }[]

/** A value that somebody wrote for a key, not yet read. */
export interface Setting {
  key: KeyName
  origin: Exclude<Origin, 'default'>
  written: Written
}

/** What one source of settings gave. */
export interface Findings {
  settings: Setting[]
  problems: ConfigProblem[]
}

/** The setting's value by its key's rule, or undefined after adding what is wrong with it to `problems`. */
export function readSetting({ key, origin, written }: Setting, problems: ConfigProblem[]): unknown {
  const type = keys.get(key)?.type
  if (!type) return undefined
  return readWritten(type, written, (message, line) => problems.push({ ...place(origin, line), key, message }))
}

/** The value that was written, or undefined after reporting what is wrong with it; `line` where it is an item's. */
export function readWritten<T>(
  type: ValueType<T>,
  written: Written,
  report: (message: string, line?: number) => void,
): T | undefined {
  if (typeof written === 'string') return type.parse(written) ?? refuse(written, type)
  const { item } = type
  if (!item || written.length === 0) {
    report(`expected ${type.expected}, found ${item ? 'nothing' : 'a list'}`)
    return undefined
  }
  const values = written.map(({ text, line }) => item.parse(text) ?? refuse(text, item, line))
  // Only lists have items.
  return values.includes(undefined) ? undefined : ([...new Set(values)] as T)

  function refuse(text: string, refusing: ValueType<unknown>, line?: number): undefined {
    const hint = refusing.hint?.(text)
    const found = text === '' ? 'nothing' : refusing.isSecret ? 'something else' : quoted(text)
    report(`expected ${refusing.expected}, found ${found}${hint ? `; ${hint}` : ''}`, line)
  }
}

/** The source and line of a problem with a value of this origin; `line` where it is another one. */
export function place(origin: Origin, line?: number): Pick<ConfigProblem, 'source' | 'line'> {
  if (origin === 'default') return { source: 'the defaults', line: null }
  if ('file' in origin) return { source: origin.file, line: line ?? origin.line }
  return { source: 'flag' in origin ? origin.flag : origin.environment, line: null }
}

/** What to say of a name that is no section. */
export function unknownSection(name: string): string {
  const parts = [...sectionNames, profilesName]
  const close = nearest(name, parts)
  const owners = sectionsWith(name)
  if (owners.length > 0) return `unknown section; the key ${name} belongs to ${owners.join(' or ')}`
  return close ? `unknown section; did you mean ${close}?` : `unknown section; there are ${parts.join(', ')}`
}

/** What to say of a name that is no key of a section. */
export function unknownKey(section: string, name: string): string {
  const known = keysOf(section)
  const close = nearest(name, known)
  const owners = sectionsWith(name)
  if (owners.length > 0) return `unknown key; it belongs to ${owners.join(' or ')}`
  return close ? `unknown key; did you mean ${close}?` : `unknown key; ${section} has ${known.join(', ')}`
}

const namesBySection: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries(schema).map(([section, declared]) => [section, Object.keys(declared)]),
)

/** What stands beside the sections and is a list: the rules for single sources. */
export const profilesName = 'profiles'

/** What to say where somebody sets them in another place. */
export const onlyInFile = 'profiles are written in the configuration file only'

/** The sections' names, in the order of the schema. */
export const sectionNames: readonly string[] = [...namesBySection.keys()]

/** The names of a section's keys; none for a name that is no section. */
export function keysOf(section: string): readonly string[] {
  return namesBySection.get(section) ?? []
}

function sectionsWith(name: string): string[] {
  return sectionNames.filter((section) => keysOf(section).includes(name))
}
