import { closeSync, openSync, readSync } from 'node:fs'
import { whyRefused } from '../util/file-error.ts'
import type { ConfigProblem } from './problems.ts'

/** Bytes; a real configuration has some thousands. */
const maxSize = 256 * 1024

/** The text of a configuration file, or what is wrong with it: missing, unreadable, too big, not UTF-8. */
export function readConfigFile(file: string): { text: string } | { problem: ConfigProblem } {
  const problem = (message: string, line: number | null = null) => ({
    problem: { source: file, line, key: null, message },
  })
  let bytes: Uint8Array
  try {
    bytes = readAtMost(file, maxSize + 1)
  } catch (error) {
    return problem(`cannot be read: ${whyRefused(error)}`)
  }
  if (bytes.length > maxSize)
    return problem(`expected at most ${maxSize} bytes, found more: is it a configuration file?`)
  const badLine = firstLineNotUtf8(bytes)
  if (badLine !== undefined) return problem('expected UTF-8 text, found other bytes', badLine)
  return { text: new TextDecoder().decode(bytes) }
}

/** A pipe or device tells no size beforehand, and may never end. */
function readAtMost(file: string, limit: number): Uint8Array {
  const buffer = new Uint8Array(limit)
  const descriptor = openSync(file, 'r')
  try {
    let length = 0
    while (length < limit) {
      const count = readSync(descriptor, buffer, length, limit - length, null)
      if (count === 0) break
      length += count
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(descriptor)
  }
}

/** The first line, from 1, that is not UTF-8 or holds NUL, as UTF-16 does; undefined when all are text. */
function firstLineNotUtf8(bytes: Uint8Array): number | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let line = 1
  for (let start = 0; start < bytes.length; line++) {
    const newline = bytes.indexOf(0x0a, start)
    const end = newline === -1 ? bytes.length : newline + 1
    try {
      if (decoder.decode(bytes.subarray(start, end)).includes('\0')) return line
    } catch {
      return line
    }
    start = end
  }
  return undefined
}
