import { printable } from '../util/format.ts'

/** As a shell would take it, to be pasted. */
export function shellQuoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

/** A path as a person can paste it into a command line. */
export function pasteable(path: string): string {
  return printable(shellQuoted(path))
}
