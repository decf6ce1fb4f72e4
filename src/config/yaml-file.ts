import { isMap, LineCounter, parseDocument, type Node, type Pair, type YAMLError, type YAMLMap } from 'yaml'
import { isKeyName, keys } from './schema.ts'
import { type Findings, keysOf, profilesName, sectionNames, unknownKey, unknownSection } from './setting.ts'
import { describe, entries, isNothing, lineOfValue, type NodeReading, offsetOf, readNode } from './yaml-nodes.ts'
import { readProfileNodes, type WrittenProfile } from './yaml-profiles.ts'

/** What a file gave: besides its settings, the rules for single sources. */
export interface FileFindings extends Findings {
  profiles: WrittenProfile[]
}

/** One file being read: what was found so far, and how to add to it. */
interface Reading extends NodeReading {
  findings: FileFindings
  /** The name that problems and origins carry. */
  file: string
}

/**
 * The settings written in a YAML text; an empty text, section or value sets nothing. Every problem has its line. `file`
 * is only a name. Scalars are taken as written, so an id of `007` stays `007`.
 */
export function readYaml(file: string, text: string): FileFindings {
  const findings: FileFindings = { settings: [], problems: [], profiles: [] }
  const lines = new LineCounter()
  const lineOf = (at: unknown) => lines.linePos(typeof at === 'number' ? at : offsetOf(at)).line
  const report = (at: unknown, key: string | null, message: string) =>
    void findings.problems.push({ source: file, line: lineOf(at), key, message })
  const reading: Reading = { findings, file, lineOf, report }
  const root = parse(reading, text, lines)
  if (isMap(root)) readRoot(reading, root)
  else if (!isNothing(root)) report(root, null, `expected sections such as server:, found ${describe(root)}`)
  return findings
}

/** The root node; null for an empty text, or when its syntax is broken and the tree means nothing. */
function parse(reading: Reading, text: string, lineCounter: LineCounter): Node | null {
  try {
    // uniqueKeys compares every pair of keys; here duplicates are found by a Map, and with both lines.
    const document = parseDocument(text, { lineCounter, prettyErrors: false, uniqueKeys: false })
    const faults = [...document.errors, ...document.warnings]
    for (const fault of faults) reading.report(fault.pos[0], null, `not valid YAML: ${reasonOf(fault)}`)
    return faults.length > 0 ? null : document.contents
  } catch (error) {
    // Thousands of nested brackets exhaust the parser's stack, and not always where it expects that.
    const reason = error instanceof RangeError ? 'nested too deeply' : String(error)
    reading.report(0, null, `not valid YAML: ${reason}`)
    return null
  }
}

/** The parser's words without its advice to programmers and without the piece of the file, which may be a secret. */
function reasonOf({ code, message }: YAMLError): string {
  if (code === 'MULTIPLE_DOCS') return 'expected one document, found a second one'
  if (code === 'RESOURCE_EXHAUSTION') return 'nested too deeply'
  return message.split(/ in YAML stream: |\n/)[0] ?? message
}

function readRoot(reading: Reading, map: YAMLMap) {
  for (const [section, { key, value }] of entries(reading, map, '')) {
    if (section === profilesName) reading.findings.profiles = readProfileNodes(reading, value, key)
    else if (!sectionNames.includes(section)) reading.report(key, section, unknownSection(section))
    else if (isMap(value)) readSection(reading, section, value)
    else if (!isNothing(value)) {
      const expected = `expected a section with keys such as ${keysOf(section)[0]}`
      reading.report(key, section, `${expected}, found ${describe(value)}`)
    }
  }
}

function readSection(reading: Reading, section: string, map: YAMLMap) {
  for (const [name, pair] of entries(reading, map, `${section}.`)) {
    const group = isKeyName(`${section}.${name}`) ? [] : groupOf(section, name)
    // `tls_cert` and `tls_key` are a group, and may be written as a map; a single key is none.
    if (group.length > 1) readGroup(reading, section, name, pair, group)
    else readPair(reading, section, name, pair)
  }
}

/** What follows a name in the keys of its section that begin with it: `cert` and `key` for `tls`. */
function groupOf(section: string, name: string): string[] {
  return keysOf(section).flatMap((key) => (key.startsWith(`${name}_`) ? [key.slice(name.length + 1)] : []))
}

function readGroup(reading: Reading, section: string, name: string, { key, value }: Pair, group: readonly string[]) {
  const full = `${section}.${name}`
  if (isNothing(value)) return
  if (!isMap(value)) {
    reading.report(key, full, `expected a section with ${group.join(', ')}, found ${describe(value)}`)
    return
  }
  for (const [part, pair] of entries(reading, value, `${full}.`)) {
    if (group.includes(part)) readPair(reading, section, `${name}_${part}`, pair)
    else reading.report(pair.key, `${full}.${part}`, `unknown key; ${name} has ${group.join(', ')}`)
  }
}

function readPair(reading: Reading, section: string, name: string, pair: Pair) {
  const key = `${section}.${name}`
  if (!isKeyName(key)) reading.report(pair.key, key, unknownKey(section, name))
  else if (reading.findings.settings.some((setting) => setting.key === key)) {
    reading.report(pair.key, key, `set twice, also as ${name}`)
  } else if (!isNothing(pair.value)) {
    const written = readNode(reading, key, pair.value, keys.get(key)?.type)
    const origin = { file: reading.file, line: lineOfValue(reading, pair) }
    if (written !== undefined) reading.findings.settings.push({ key, origin, written })
  }
}
