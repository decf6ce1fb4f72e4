import { readEnvironment } from './environment.ts'
import { ConfigError, type ConfigProblem } from './problems.ts'
import { type LoadedProfile, readProfiles } from './profiles.ts'
import { readConfigFile } from './read-file.ts'
import { rules } from './rules.ts'
import { type Config, isKeyName, type KeyName, keys, schema, type Sections } from './schema.ts'
import {
  type Findings,
  onlyInFile,
  type Origin,
  place,
  profilesName,
  readSetting,
  sectionNames,
  unknownKey,
  unknownSection,
} from './setting.ts'
import { type FileFindings, readYaml } from './yaml-file.ts'

/** Two ways to say one thing: who says it in one way overrides whoever said it before in the other. */
const alternatives: readonly (readonly [KeyName, KeyName])[] = [
  ['worker.token', 'worker.token_file'],
  ['worker.token_file', 'worker.token'],
]

const afterAllLines = Number.MAX_SAFE_INTEGER

/** A flag's value; with its name where that is not `--` and the key's last part (`--master-url`). */
export type FlagValue = string | number | boolean | { name: string; value: string | number | boolean }

/** What a configuration is made of; each overrides those above it. */
export interface ConfigSources {
  /** The configuration file; null or nothing for none. */
  file?: string | null
  /** The file's text, when the caller has it already; `file` then only names it. */
  text?: string
  /** Environment variables, `process.env` or a test's. */
  environment: Readonly<Record<string, string | undefined>>
  /** Flags by full key, `'server.port': 9000`; undefined for one that was not given. */
  flags: Readonly<Record<string, FlagValue | undefined>>
}

/** What loadConfig gives. */
export interface LoadedConfig {
  config: Config
  /** Where each key's value came from. */
  origins: Readonly<Record<KeyName, Origin>>
  /** The profiles of `config`, each with its place in the file and as people write it. */
  profiles: readonly LoadedProfile[]
  /** What is hardly meant as it stands, but may be. */
  doubts: readonly ConfigProblem[]
}

/**
 * The effective configuration: defaults, overridden by the file, that by the environment, that by flags. Whatever is
 * wrong anywhere, even in a value that is overridden, is thrown at once as one ConfigError.
 */
export function loadConfig(sources: ConfigSources): LoadedConfig {
  const inFile = readFile(sources)
  const findings = [inFile, readEnvironment(sources.environment), readFlags(sources.flags)]
  const problems: ConfigProblem[] = []
  const values = new Map<KeyName, unknown>([...keys].map(([name, { fallback }]) => [name, fallback]))
  const origins = new Map<KeyName, Origin>([...keys.keys()].map((name) => [name, 'default']))
  for (const found of findings) {
    // One by one: a flood of them would not fit into one call's arguments.
    for (const problem of found.problems) problems.push(problem)
    for (const key of overridden(found)) {
      values.set(key, keys.get(key)?.fallback)
      origins.set(key, 'default')
    }
    for (const setting of found.settings) {
      const value = readSetting(setting, problems)
      if (value === undefined) continue
      values.set(setting.key, value)
      origins.set(setting.key, setting.origin)
    }
  }
  const sections = assemble(values)
  const isSet = (key: KeyName) => (origins.get(key) ?? 'default') !== 'default'
  const doubtful = new Set(problems.map(({ key }) => key))
  const broken = brokenRules(sections, origins, problems)
  problems.push(...broken.faults)
  const context = { file: nameOf(sources), config: sections, isSet, doubtful }
  const profiles = readProfiles(inFile.profiles, context, problems)
  if (problems.length > 0) throw new ConfigError(inOrder(problems))
  const config = { ...sections, profiles: profiles.map(({ profile }) => profile) }
  const byKey = Object.fromEntries(origins) as Record<KeyName, Origin>
  return { config, origins: byKey, profiles, doubts: inOrder(broken.doubts) }
}

/** The keys whose values, of whatever earlier source, give way to those of this one. */
function overridden({ settings }: Findings): KeyName[] {
  const isGiven = (key: KeyName) => settings.some((setting) => setting.key === key)
  return alternatives.flatMap(([given, other]) => (isGiven(given) && !isGiven(other) ? [other] : []))
}

function nameOf({ file }: ConfigSources): string {
  return file ?? 'configuration'
}

function readFile(sources: ConfigSources): FileFindings {
  const { file, text } = sources
  if (text !== undefined) return readYaml(nameOf(sources), text)
  if (file === undefined || file === null) return { settings: [], problems: [], profiles: [] }
  const read = readConfigFile(file)
  return 'problem' in read ? { settings: [], problems: [read.problem], profiles: [] } : readYaml(file, read.text)
}

function readFlags(flags: ConfigSources['flags']): Findings {
  const findings: Findings = { settings: [], problems: [] }
  for (const [key, given] of Object.entries(flags)) {
    if (given === undefined) continue
    const [section = '', name = section] = key.split('.')
    const flag = typeof given === 'object' ? given.name : `--${name.replaceAll('_', '-')}`
    const written = String(typeof given === 'object' ? given.value : given)
    if (isKeyName(key)) findings.settings.push({ key, origin: { flag }, written })
    else {
      const isSection = sectionNames.includes(section)
      const message =
        section === profilesName ? onlyInFile : isSection ? unknownKey(section, name) : unknownSection(section)
      findings.problems.push({ source: flag, line: null, key, message })
    }
  }
  return findings
}

/** The values by section; each was read by the rule of its key, which is what makes it a Config. */
function assemble(values: ReadonlyMap<KeyName, unknown>): Sections {
  const sections = Object.entries(schema).map(([section, declared]) => {
    const names = Object.keys(declared)
    return [section, Object.fromEntries(names.map((name) => [name, values.get(`${section}.${name}` as KeyName)]))]
  })
  return Object.fromEntries(sections) as Sections
}

/** What the rules between keys say, each at the first of its keys that somebody set. */
function brokenRules(
  config: Sections,
  origins: ReadonlyMap<KeyName, Origin>,
  problems: readonly ConfigProblem[],
): { faults: ConfigProblem[]; doubts: ConfigProblem[] } {
  const found = { faults: [] as ConfigProblem[], doubts: [] as ConfigProblem[] }
  // With a part of the settings unread, a conflict may be with a default that would not stand.
  if (problems.some(({ key }) => key === null)) return found
  const doubtful = new Set(problems.map(({ key }) => key))
  const originOf = (key: KeyName) => origins.get(key) ?? 'default'
  const isSet = (key: KeyName) => originOf(key) !== 'default'
  const isInFile = (key: KeyName) => Object.hasOwn(Object(originOf(key)) as object, 'file')
  for (const rule of rules) {
    if (rule.keys.some((key) => doubtful.has(key))) continue
    const message = rule.conflict(config, { isSet, isInFile })
    const key = rule.keys.find(isSet) ?? rule.keys[0]
    if (message === undefined || key === undefined) continue
    const problem = { ...place(originOf(key)), key, message }
    if (rule.is_doubt) found.doubts.push(problem)
    else found.faults.push(problem)
  }
  return found
}

/** As a person goes through the file, then what is not in it. */
function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((one, other) => (one.line ?? afterAllLines) - (other.line ?? afterAllLines))
}
