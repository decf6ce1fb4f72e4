import { expect, test } from 'bun:test'
import { ConfigError, formatConfigProblems, quoted } from '../../src/config/problems.ts'

const problem = { source: 'c.yaml', line: 7, key: 'server.port', message: 'expected this, found that' }

test('each problem is one line with its place and key', () => {
  const problems = [problem, { ...problem, source: '--port', line: null }, { ...problem, line: null, key: null }]
  const text =
    'c.yaml:7: server.port: expected this, found that\n--port: server.port: expected this, found that\nc.yaml: expected this, found that'
  expect(formatConfigProblems({ problems })).toBe(text)
  expect(new ConfigError(problems).message).toBe(text)
})

test('a file cannot write on the terminal through its name or keys', () => {
  const text = formatConfigProblems({ problems: [{ ...problem, source: 'a\nb.yaml', key: '\u001b[2Jx\u202e' }] })
  expect(text).toBe('a\\nb.yaml:7: \\u001b[2Jx\\u202e: expected this, found that')
})

test('a flood of problems is cut', () => {
  const lines = formatConfigProblems({ problems: Array.from({ length: 1500 }, () => problem) }).split('\n')
  expect(lines).toHaveLength(101)
  expect(lines.at(-1)).toBe('and 1,400 more')
})

test('a found value is short, on one line and without a password', () => {
  expect(quoted('a"b\nc')).toBe(String.raw`"a\"b\nc"`)
  expect(quoted('x'.repeat(1000))).toHaveLength(62)
  expect(quoted('http://anna:s3cret@host/x')).toBe('"http://***@host/x"')
  expect(quoted('http://anna:s3c@ret@host/x')).toBe('"http://***@host/x"')
  expect(quoted(`http://anna:${'s3cret'.repeat(50)}@host/x`)).toBe('"http://***@host/x"')
})
