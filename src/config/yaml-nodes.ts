import { isAlias, isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml'
import { mappingText } from './path-mapping.ts'
import { quoted } from './problems.ts'
import type { Written } from './setting.ts'
import type { ValueType } from './values.ts'

/** More items than any list needs; keeps a hostile file from making a million problems. */
const maxListItems = 1000

/** How readers of parts of a file find lines and tell of problems. */
export interface NodeReading {
  /** The line, from 1, of a node or an offset; 1 where it has none. */
  lineOf(at: unknown): number
  report(at: unknown, key: string | null, message: string): void
}

/**
 * A single value as written, or a list of them; a map's text where the key's type takes one. Undefined after reporting what
 * is none of these.
 */
export function readNode(
  reading: NodeReading,
  key: string,
  node: unknown,
  type: Pick<ValueType<unknown>, 'isMap' | 'hasPairs'> = {},
): Written | undefined {
  if (isScalar(node)) return textOf(node)
  if (type.hasPairs && (isMap(node) || isSeq(node))) return readPairs(reading, key, node)
  if (isMap(node) && type.isMap) return readMap(reading, key, node)
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

/** `{decode: full, ssim: 0.95}` is `decode=full, ssim=0.95`. */
function readMap(reading: NodeReading, key: string, map: YAMLMap): string | undefined {
  const parts: string[] = []
  for (const [name, { key: at, value }] of entries(reading, map, `${key}.`)) {
    if (isScalar(value) && !isNothing(value)) parts.push(`${name}=${textOf(value)}`)
    else reading.report(at, `${key}.${name}`, `expected a value, found ${describe(value)}`)
  }
  return parts.length === map.items.length ? parts.join(', ') : undefined
}

/** A map's pairs, or a list of such maps and of single values, as a list of `from => to`. */
function readPairs(reading: NodeReading, key: string, node: unknown): Written | undefined {
  if (isMap(node)) return pairsOf(reading, key, node)
  if (!isSeq(node) || !node.items.some(isMap)) return readNode(reading, key, node)
  const items = node.items.slice(0, maxListItems).map((item) => {
    return isMap(item) ? pairsOf(reading, key, item) : readNode(reading, key, item)
  })
  if (items.includes(undefined)) return undefined
  return items.flatMap((item, index) => {
    return typeof item === 'string' ? [{ text: item, line: reading.lineOf(node.items[index]) }] : (item ?? [])
  })
}

function pairsOf(reading: NodeReading, key: string, map: YAMLMap): { text: string; line: number }[] | undefined {
  const pairs = [...entries(reading, map, `${key}.`)]
  const items = pairs.flatMap(([from, { key: at, value }]) => {
    if (isScalar(value)) return [{ text: mappingText({ from, to: textOf(value) }), line: reading.lineOf(at) }]
    reading.report(at, key, `expected a path, found ${describe(value)}`)
    return []
  })
  return items.length === pairs.length ? items : undefined
}

/** The map's pairs by name; a name that is no word, or was there before, is a problem. */
export function entries(reading: NodeReading, map: YAMLMap, prefix: string): Map<string, Pair> {
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

/** The line where a pair's value is said: a list starts on the line below its key. */
export function lineOfValue(reading: NodeReading, pair: Pair): number {
  return reading.lineOf(isScalar(pair.value) ? pair.value : pair.key)
}

/** No value at all, `~` or `null`: the key keeps its default. */
export function isNothing(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null)
}

/** Whether somebody wrote `null` or `~`, and not only left the value out. */
export function isNull(node: unknown): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') !== ''
}

/** Where a node begins in its text; 0 where it has no place. */
export function offsetOf(node: unknown): number {
  return (isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range?.[0] : undefined) ?? 0
}

/** Completes "found ...". */
export function describe(node: unknown): string {
  if (isMap(node)) return 'a section'
  if (isSeq(node)) return 'a list'
  // Following aliases would let a short file grow without bound.
  if (isAlias(node)) return `the alias ${quoted(`*${node.source}`)}, which is not supported here`
  return isScalar(node) && !isNothing(node) ? quoted(textOf(node)) : 'nothing'
}

function textOf(scalar: { source?: string; value: unknown }): string {
  return scalar.source ?? String(scalar.value)
}
