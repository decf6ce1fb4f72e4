import { quoted } from './problems.ts'
import type { ValueType } from './values.ts'

/** One entry of `storage.path_map`: where the master has a folder, and where this host has it. */
export interface PathMapping {
  from: string
  to: string
}

const arrow = ' => '
// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
const controlCharacter = /[\u0000-\u001f\u007f]/

/** `/mnt/storage => Z:\videos`; a YAML map's `from: to` comes as the same. Both sides are absolute, of POSIX or Windows. */
export const PathMappingText: ValueType<string> = {
  expected: 'a path of the master and one of this host, both absolute, such as /mnt/storage: /media/nas',
  parse(text) {
    const mapping = splitMapping(text)
    if (mapping === undefined || controlCharacter.test(text)) return undefined
    return isAbsolutePath(mapping.from) && isAbsolutePath(mapping.to) ? mappingText(mapping) : undefined
  },
  hint(text) {
    const mapping = splitMapping(text)
    if (mapping === undefined) return 'write two, with => or a colon and a blank between them'
    const relative = [mapping.from, mapping.to].find((path) => !isAbsolutePath(path))
    return relative === undefined ? undefined : `${quoted(relative)} is not absolute`
  },
  format: (value) => value,
}

/** The text of a pair, as `splitMapping` reads it. */
export function mappingText({ from, to }: PathMapping): string {
  return `${from}${arrow}${to}`
}

/** The two sides of an entry; undefined where there are no two. The colon of a drive (`Z:\`) has no blank after it. */
export function splitMapping(text: string): PathMapping | undefined {
  const [, from, to] = /^(.*?) => (.*)$/.exec(text) ?? /^(.*?):\s+(.*)$/.exec(text) ?? []
  return from?.trim() && to?.trim() ? { from: from.trim(), to: to.trim() } : undefined
}

function isAbsolutePath(path: string): boolean {
  return /^(\/|[a-z]:([\\/]|$)|\\\\[^\\])/i.test(path)
}
