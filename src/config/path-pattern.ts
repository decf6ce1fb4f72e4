import { extname } from 'node:path'
import type { ValueType } from './values.ts'

const longest = 1000

/**
 * A glob for paths below the source folder, `/` between folders on every system: `*` and `?` stay within a folder, `**`
 * goes through any number of them, `[ab]` and `{a,b}` choose, and a backslash takes the next sign as it is.
 */
export const PathPattern: ValueType<string> = {
  expected: `a pattern of at most ${longest} characters for paths below scanner.root_path, such as phones/** or **/*.avi`,
  parse(text) {
    const pattern = text.trim()
    return pattern === '' || pattern.length > longest || faultOf(pattern) !== undefined ? undefined : pattern
  },
  hint: (text) => faultOf(text.trim()),
  format: (value) => value,
}

/** Why no path of a source can fit, or a pattern means something else than it seems; undefined when all is well. */
function faultOf(pattern: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
  if (/[\u0000-\u001f\u007f]/.test(pattern)) return 'without control characters'
  if (pattern.startsWith('!')) return 'an earlier profile takes what this one shall not, there is no !'
  if (/\\(?![*?[\]{}!\\,-])/.test(pattern)) return 'write / between folders'
  if (pattern.startsWith('/') || /^[a-z]:\//i.test(pattern)) return 'relative to scanner.root_path, without / in front'
  const open = unclosedIn(pattern)
  if (open) return `close its ${open} with ${open === '[' ? ']' : '}'}, or write \\${open} for the sign itself`
  if (pattern === '.' || pattern === './') return 'write ** for all that is in the folder'
  const parts = pattern.split('/')
  if (parts.some((part) => part === '.' || part === '..')) return 'without . and .. for folders'
  const last = parts.at(-1) ?? ''
  if (last === '') return `write ${pattern}** for all that is in the folder`
  const isFolder = !/[*?[{]/.test(last) && extname(last) === ''
  return isFolder ? `write ${pattern}/** for all that is in the folder` : undefined
}

const escaped = /\\./g
/** A `]` in front is one of those to choose from, as in shells. */
const choice = /\[(?:[!^]|(?![!^]))[^][^\]]*\]/g
const innermost = /\{[^{}]*\}/g

/** The sign of a choice that has no end: it would be taken for itself, which is hardly what was meant. */
function unclosedIn(pattern: string): '[' | '{' | undefined {
  let rest = pattern.replace(escaped, '.').replace(choice, '.')
  if (rest.includes('[')) return '['
  for (let before = ''; before !== rest;) {
    before = rest
    rest = rest.replace(innermost, '.')
  }
  return rest.includes('{') ? '{' : undefined
}
