import { isIP } from 'node:net'
import { hostName, isAddress } from '../util/host-name.ts'
import { nearest } from './nearest.ts'

/** What a value looks like when it is shown or written back: YAML and JSON both hold it as it is. */
export type Plain = string | number | boolean | readonly string[]

/** How one kind of setting is read from a text and written back. `parse(format(value))` gives the value again. */
export interface ValueType<T> {
  /** Completes "expected ...". */
  expected: string
  /** The value, or undefined when the text is not one. The text comes from a YAML scalar, a variable or a flag. */
  parse(text: string): T | undefined
  /** What to write instead of a refused text, or undefined when that cannot be guessed. */
  hint?(text: string): string | undefined
  format(value: T): Plain
  /** Whether no answer, log or message may show it. */
  isSecret?: true
  /** The type of a list's items; only lists have it, and only they may be written as a YAML list. */
  item?: ValueType<string>
  /** Whether it may be written as a YAML map of single values, which is read as the text `name=value, name=value`. */
  isMap?: boolean
  /** Whether the items may also be written as the pairs of a YAML map, `from: to`. */
  hasPairs?: true
}

// oxlint-disable-next-line no-control-regex -- control characters are exactly what is refused
const controlCharacter = /[\u0000-\u001f\u007f]/

/** A whole number in decimal digits, `min` to `max` inclusive. */
export function Integer(min: number, max: number): ValueType<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse(text) {
      if (!/^-?\d{1,15}$/.test(text.trim())) return undefined
      const value = Number(text)
      return value >= min && value <= max ? value : undefined
    },
    format: (value) => value,
  }
}

/** A yes or no, in YAML's words of both versions and as shells write it. */
export const Flag: ValueType<boolean> = {
  expected: 'true or false',
  parse(text) {
    const word = text.trim().toLowerCase()
    if (['true', 'yes', 'on', '1'].includes(word)) return true
    if (['false', 'no', 'off', '0'].includes(word)) return false
    return undefined
  },
  format: (value) => value,
}

/** One of a list of words, in any case. `aliases` are other spellings of them. */
export function Choice<const T extends string>(words: readonly T[], aliases: Record<string, T> = {}): ValueType<T> {
  return {
    expected: `one of ${words.join(', ')}`,
    parse(text) {
      const word = text.trim().toLowerCase()
      return words.find((known) => known === word) ?? (Object.hasOwn(aliases, word) ? aliases[word] : undefined)
    },
    hint(text) {
      const word = nearest(text, [...words, ...Object.keys(aliases)])
      return word && `did you mean ${word}?`
    },
    format: (value) => value,
  }
}

/** A file or folder, absolute or relative to where the program was started; taken as written. */
export const Path: ValueType<string> = {
  expected: 'a path',
  parse(text) {
    return text.trim() === '' || controlCharacter.test(text) || isHomeRelative(text) ? undefined : text
  },
  hint: (text) => (isHomeRelative(text) ? 'write the whole path, ~ is not expanded' : undefined),
  format: (value) => value,
}

/** Only a shell expands `~`; taken literally it would make a folder of that name. */
function isHomeRelative(text: string): boolean {
  return /^~[\w.-]*(\/|$)/.test(text)
}

/** A name of 1 to 200 characters, as the contract's ids are. */
export const Name: ValueType<string> = {
  expected: 'a name of 1 to 200 characters',
  parse(text) {
    return text.trim() === '' || text.length > 200 || controlCharacter.test(text) ? undefined : text
  },
  format: (value) => value,
}

/** A token as `Authorization: Bearer` takes one (RFC 6750). */
export const Token: ValueType<string> = {
  expected: 'a token of letters, digits and -._~+/=',
  isSecret: true,
  parse: (text) => (/^[\w~+/.=-]{1,512}$/.test(text.trim()) ? text.trim() : undefined),
  format: (value) => value,
}

/** What a certificate is known by, its SHA-256: `sha256:` and 64 hexadecimal digits, also with colons as openssl has them. */
export const Pin: ValueType<string> = {
  expected: 'a pin such as sha256:4ff2... with 64 hexadecimal digits, as the master prints it',
  parse(text) {
    const digits = text
      .trim()
      .toLowerCase()
      .replace(/^sha256[:=]/, '')
      .replaceAll(':', '')
    return /^[\da-f]{64}$/.test(digits) ? `sha256:${digits}` : undefined
  },
  format: (value) => value,
}

/** A path of URLs: `/` alone, or with a slash at its begin and none at its end. */
export const UrlPath: ValueType<string> = {
  expected: 'a path such as /darkstream, of letters, digits, dots, - and _',
  parse(text) {
    const path = text.trim().replace(/(?<=.)\/$/, '')
    const isPath = path === '/' || (path.length <= 200 && /^(\/[\w.-]+)+$/.test(path))
    return isPath && !path.split('/').some((part) => part === '.' || part === '..') ? path : undefined
  },
  hint: (text) => (/^[\w-]/.test(text) && !/:\/\//.test(text) ? `write /${text}` : undefined),
  format: (value) => value,
}

/** An IP address, or a network such as `10.0.0.0/8`. */
export const Network: ValueType<string> = {
  expected: 'an IP address or a network such as 10.0.0.0/8',
  parse(text) {
    const [, address = '', length] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(text.trim().toLowerCase()) ?? []
    const version = isIP(address)
    if (version === 0 || address.includes('%') || Number(length ?? 0) > (version === 4 ? 32 : 128)) return undefined
    return length === undefined ? address : `${address}/${Number(length)}`
  },
  hint: (text) => (/^[a-z]/i.test(text) ? 'names are not looked up, write its address' : undefined),
  format: (value) => value,
}

/** A host name or an IP address to listen on. */
export const Host: ValueType<string> = {
  expected: 'a host name or an IP address',
  parse(text) {
    const host = text.trim()
    return isIP(host) !== 0 || isHostName(host) ? host : undefined
  },
  hint(text) {
    if (/^\w+:\/\//.test(text)) return 'leave out the scheme'
    if (/^\[[^\]]*\]$/.test(text)) return 'leave out the brackets'
    return /:\d+$/.test(text) ? 'leave out the port, which is server.port' : undefined
  },
  format: (value) => value,
}

/** A name that browsers may ask for, as `hostName` spells it; `*.lan` for all below one. */
export const HostPattern: ValueType<string> = {
  expected: 'a host name such as media.example, or *.media.example for all below it',
  parse(text) {
    const [, star = '', host = ''] = /^(\*\.)?(.*)$/.exec(text.trim()) ?? []
    const name = isHostName(host) || isIP(host) !== 0 ? hostName(host) : undefined
    return name === undefined || (star !== '' && isAddress(name)) ? undefined : star + name
  },
  hint(text) {
    if (/^\w+:\/\//.test(text)) return 'leave out the scheme'
    if (/:\d+$/.test(text)) return 'leave out the port, any is meant'
    return text.trim() === '*' ? 'a page could bring any name; name those that lead to the master' : undefined
  },
  format: (value) => value,
}

/** Also in letters beyond ASCII. A name of digits alone, or one that ends in them, would be an address. */
function isHostName(text: string): boolean {
  const labels = text.replace(/\.$/, '').split('.')
  const isName =
    text.length <= 253 &&
    labels.every((label) => /^[\p{L}\p{N}_]([\p{L}\p{M}\p{N}_-]{0,61}[\p{L}\p{M}\p{N}_])?$/u.test(label))
  return isName && hostName(text) !== undefined
}

/** The address of a server without a slash at its end, so that a path can be added to it. */
export const HttpUrl: ValueType<string> = {
  expected: 'an address such as http://storage-server:8080, without user name, password, query or fragment',
  parse(text) {
    if (text.length > 2000) return undefined
    if (!/^https?:\/\/[^/?#]/i.test(text.trim()) || /[\s?#]/.test(text.trim())) return undefined
    const url = URL.parse(text.trim())
    // A password here would end in logs, process lists and `config show`.
    if (!url || url.username || url.password) return undefined
    return url.href.replace(/\/+$/, '')
  },
  hint: (text) =>
    /^[\w.-]{1,253}(:\d{1,5})?$/.test(text) ? `write http://${text}${text.includes(':') ? '' : ':8080'}` : undefined,
  format: (value) => value,
}

/** A file name's end with its dot, in lower case: `.mp4`; read with or without the dot. */
export const Extension: ValueType<string> = {
  expected: 'a file extension such as .mp4',
  parse(text) {
    const word = text.trim().toLowerCase()
    if (!/^\.?[a-z0-9][a-z0-9_+-]*(\.[a-z0-9_+-]+)*$/.test(word) || word.length > 32) return undefined
    return word.startsWith('.') ? word : `.${word}`
  },
  hint: (text) => (/^\*\.\w+$/.test(text.trim()) ? `write ${text.trim().slice(1)}` : undefined),
  format: (value) => value,
}

/** One or more items, each once, in the order written; as a text they are separated by commas, or it is one item. */
export function ListOf(
  item: ValueType<string>,
  expected: string,
  { separator = ',' }: { separator?: ',' | null } = {},
): ValueType<readonly string[]> {
  const partsOf = (text: string) => (separator === null ? [text] : text.replace(/,\s*$/, '').split(separator))
  return {
    expected,
    parse(text) {
      const items = new Set<string>()
      for (const part of partsOf(text)) {
        const value = item.parse(part)
        if (value === undefined) return undefined
        items.add(value)
      }
      return [...items]
    },
    hint(text) {
      const refused = partsOf(text).find((part) => item.parse(part) === undefined)
      return refused === undefined ? undefined : item.hint?.(refused)
    },
    format: (value) => value,
    item,
  }
}
