import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Node,
  type Pair,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { quoted } from './problems.ts'
import { isKeyName } from './schema.ts'
import { type Findings, keysOf, sectionNames, type Setting, unknownKey, unknownSection } from './setting.ts'

/** More items than any list needs; keeps a hostile file from making a million problems. */
const maxListItems = 1000

/** One file being read: what was found so far, and how to add to it. */
interface Reading {
  findings: Findings
  /** The name that problems and origins carry. */
  file: string
  /** The line, from 1, of a node or an offset; 1 where it has none. */
  lineOf(at: unknown): number
  report(at: unknown, key: string | null, message: string): void
}

/**
 * The settings written in a YAML text; an empty text, section or value sets nothing. Every problem has its line. `file`
 * is only a name. Scalars are taken as written, so an id of `007` stays `007`.
 */
export function readYaml(file: string, text: string): Findings {
  const findings: Findings = { settings: [], problems: [] }
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
    if (!sectionNames.includes(section)) reading.report(key, section, unknownSection(section))
    else if (isMap(value)) readSection(reading, section, value)
    else if (!isNothing(value)) {
      const expected = `expected a section with keys such as ${keysOf(section)[0]}`
      reading.report(key, section, `${expected}, found ${describe(value)}`)
    }
  }
}

function readSection(reading: Reading, section: string, map: YAMLMap) {
  for (const [name, pair] of entries(reading, map, `${section}.`)) {
    const key = `${section}.${name}`
    if (!isKeyName(key)) reading.report(pair.key, key, unknownKey(section, name))
    else if (!isNothing(pair.value)) {
      const written = readValue(reading, key, pair.value)
      // A list starts on the line below its key.
      const line = reading.lineOf(isScalar(pair.value) ? pair.value : pair.key)
      if (written !== undefined) reading.findings.settings.push({ key, origin: { file: reading.file, line }, written })
    }
  }
}

function readValue(reading: Reading, key: string, node: unknown): Setting['written'] | undefined {
  if (isScalar(node)) return textOf(node)
  if (!isSeq(node)) {
    reading.report(node, key, `expected a value, found ${describe(node)}`)
    return undefined
  }
  if (node.items.length > maxListItems) {
    reading.report(node, key, `expected at most ${maxListItems} items, found ${node.items.length}`)
    return undefined
  }
  const items: { text: string; line: number }[] = []
  for (const item of node.items) {
    if (isScalar(item)) items.push({ text: textOf(item), line: reading.lineOf(item) })
    else reading.report(item, key, `expected a list of single values, found ${describe(item)}`)
  }
  return items.length === node.items.length ? items : undefined
}

/** The map's pairs by name; a name that is no word, or was there before, is a problem. */
function entries(reading: Reading, map: YAMLMap, prefix: string): Map<string, Pair> {
  const byName = new Map<string, Pair>()
  for (const pair of map.items) {
    if (!isScalar(pair.key)) {
      reading.report(pair.key, null, `expected a name, found ${describe(pair.key)}`)
      continue
    }
    const name = textOf(pair.key)
    const first = byName.get(name)
    if (first) reading.report(pair.key, prefix + name, `set twice, first on line ${reading.lineOf(first.key)}`)
    else byName.set(name, pair)
  }
  return byName
}

function textOf(scalar: { source?: string; value: unknown }): string {
  return scalar.source ?? String(scalar.value)
}

/** No value at all, `~` or `null`: the key keeps its default. */
function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

function offsetOf(node: unknown): number {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined) ?? 0
}

function describe(node: unknown): string {
  if (isMap(node)) return 'a section'
  if (isSeq(node)) return 'a list'
  // Following aliases would let a short file grow without bound.
  if (isAlias(node)) return `the alias ${quoted(`*${node.source}`)}, which is not supported here`
  return isScalar(node) && !isNothing(node) ? quoted(textOf(node)) : 'nothing'
}
