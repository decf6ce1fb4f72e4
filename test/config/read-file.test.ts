import { afterAll, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readConfigFile } from '../../src/config/read-file.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkstream-config-'))
afterAll(() => rmSync(folder, { recursive: true }))

function problemWith(name: string, content?: string | Uint8Array) {
  const file = join(folder, name)
  if (content !== undefined) writeFileSync(file, content)
  const read = readConfigFile(file)
  return 'problem' in read ? [read.problem.line, read.problem.message] : undefined
}

test('a text is read as it is, an empty one too', () => {
  writeFileSync(join(folder, 'good.yaml'), 'worker: {id: Gerät}\n')
  expect(readConfigFile(join(folder, 'good.yaml'))).toEqual({ text: 'worker: {id: Gerät}\n' })
  expect(problemWith('empty.yaml', '')).toBeUndefined()
})

test('a missing file is named', () => {
  const file = join(folder, 'missing.yaml')
  const problem = { source: file, line: null, key: null, message: 'cannot be read: there is no such file' }
  expect(readConfigFile(file)).toEqual({ problem })
})

test('a folder is no file', () => {
  expect(problemWith('.')).toEqual([null, 'cannot be read: it is a folder'])
})

test('a name with NUL is no file', () => {
  expect(problemWith('a\0b')?.[1]).toStartWith('cannot be read: ')
})

// root may read everything
test.skipIf(process.getuid?.() === 0)('a file without permission is named', () => {
  writeFileSync(join(folder, 'closed.yaml'), '')
  chmodSync(join(folder, 'closed.yaml'), 0)
  expect(problemWith('closed.yaml')).toEqual([null, 'cannot be read: permission denied'])
})

test('bytes that are not UTF-8 are reported with their line', () => {
  const latin1 = Buffer.from('server:\n  host: a\nworker:\n  id: Ger\u00e4t\n', 'latin1')
  expect(problemWith('latin1.yaml', latin1)).toEqual([4, 'expected UTF-8 text, found other bytes'])
  expect(problemWith('utf16.yaml', Buffer.from('server:\n', 'utf16le'))).toEqual([
    1,
    'expected UTF-8 text, found other bytes',
  ])
  expect(problemWith('cut.yaml', Buffer.from('a\n\u00e4').subarray(0, 3))).toEqual([
    2,
    'expected UTF-8 text, found other bytes',
  ])
})

test('a file far too big is not read to its end', () => {
  expect(problemWith('big.yaml', '#'.repeat(300_000))?.[1]).toStartWith('expected at most 262144 bytes, found more')
  expect(readConfigFile('/dev/zero')).toHaveProperty('problem')
})
