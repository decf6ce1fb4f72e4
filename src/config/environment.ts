import { editDistance } from './nearest.ts'
import { isKeyName, keys, type KeyName } from './schema.ts'
import { type Findings, onlyInFile, profilesName, sectionNames, unknownKey } from './setting.ts'

const prefix = 'DARKSTREAM_'
const profilesVariable = prefix + profilesName.toUpperCase()

/** The variable that sets a key: `DARKSTREAM_WORKER_MASTER_URL` for `worker.master_url`. */
export function environmentName(key: KeyName): string {
  return prefix + key.replace('.', '_').toUpperCase()
}

/**
 * The settings in the environment; an empty variable sets nothing. A variable of a known section that names no key is a
 * problem, and so is one that differs from a known one by a letter or two. Other `DARKSTREAM_*` names are left alone,
 * among them a bare section such as `DARKSTREAM_WORKER`, which marks child processes.
 */
export function readEnvironment(environment: Readonly<Record<string, string | undefined>>): Findings {
  const findings: Findings = { settings: [], problems: [] }
  for (const name of Object.keys(environment).toSorted()) {
    const text = environment[name]
    if (!name.startsWith(prefix) || text === undefined) continue
    if (name === profilesVariable || name.startsWith(`${profilesVariable}_`)) {
      findings.problems.push({ source: name, line: null, key: profilesName, message: onlyInFile })
      continue
    }
    const [section = '', ...rest] = name.slice(prefix.length).toLowerCase().split('_')
    if (rest.length > 0 && sectionNames.includes(section) && name === name.toUpperCase()) {
      const key = `${section}.${rest.join('_')}`
      if (!isKeyName(key)) {
        findings.problems.push({ source: name, line: null, key, message: unknownKey(section, rest.join('_')) })
      } else if (text.trim() !== '') {
        findings.settings.push({ key, origin: { environment: name }, written: text.trim() })
      }
      continue
    }
    const meant = [...keys.keys()].map(environmentName).find((known) => isSlip(name.toUpperCase(), known))
    if (meant) {
      const message = `unknown variable; did you mean ${meant}?`
      findings.problems.push({ source: name, line: null, key: null, message })
    }
  }
  return findings
}

function isSlip(name: string, known: string): boolean {
  return Math.abs(name.length - known.length) <= 2 && editDistance(name, known) <= 2
}
