import { nearest } from './nearest.ts'
import { type ConfigProblem, quoted } from './problems.ts'
import { keys, schema, type KeyName } from './schema.ts'
import type { ValueType } from './values.ts'

/** Where a value came from. `flag` and `environment` are the names as a person types them. */
export type Origin = 'default' | { file: string; line: number } | { environment: string } | { flag: string }

/** A value that somebody wrote for a key, not yet read. */
export interface Setting {
  key: KeyName
  origin: Exclude<Origin, 'default'>
  /** The text of a single value, or the items of a YAML list, each with its line. */
  written: string | readonly { text: string; line: number }[]
}

/** What one source of settings gave. */
export interface Findings {
  settings: Setting[]
  problems: ConfigProblem[]
}

/** The setting's value by its key's rule, or undefined after adding what is wrong with it to `problems`. */
export function readSetting(setting: Setting, problems: ConfigProblem[]): unknown {
  const type = keys.get(setting.key)?.type
  if (!type) return undefined
  const { written } = setting
  if (typeof written === 'string') {
    const value = type.parse(written)
    if (value === undefined) refuse(written, type)
    return value
  }
  const { item } = type
  if (!item || written.length === 0) {
    report(`expected ${type.expected}, found ${item ? 'nothing' : 'a list'}`)
    return undefined
  }
  const values = written.map(({ text, line }) => item.parse(text) ?? refuse(text, item, line))
  return values.includes(undefined) ? undefined : [...new Set(values)]

  function refuse(text: string, refusing: ValueType<unknown>, line?: number): undefined {
    const hint = refusing.hint?.(text)
    const found = text === '' ? 'nothing' : quoted(text)
    report(`expected ${refusing.expected}, found ${found}${hint ? `; ${hint}` : ''}`, line)
  }

  function report(message: string, line?: number) {
    problems.push({ ...place(setting.origin, line), key: setting.key, message })
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
  const close = nearest(name, sectionNames)
  const owners = sectionsWith(name)
  if (owners.length > 0) return `unknown section; the key ${name} belongs to ${owners.join(' or ')}`
  return close ? `unknown section; did you mean ${close}?` : `unknown section; there are ${sectionNames.join(', ')}`
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

/** The sections' names, in the order of the schema. */
export const sectionNames: readonly string[] = [...namesBySection.keys()]

/** The names of a section's keys; none for a name that is no section. */
export function keysOf(section: string): readonly string[] {
  return namesBySection.get(section) ?? []
}

function sectionsWith(name: string): string[] {
  return sectionNames.filter((section) => keysOf(section).includes(name))
}
