import { expect, test } from 'bun:test'
import { isKeyName, keys } from '../../src/config/schema.ts'

test('every key has a line of documentation and a default that its own rule reads back', () => {
  for (const [name, { type, fallback, doc, nullMeans }] of keys) {
    expect([name, doc.length > 10 && doc.length <= 80 && !doc.includes('\n')]).toEqual([name, true])
    if (fallback === null) expect([name, typeof nullMeans]).toEqual([name, 'string'])
    else expect([name, type.parse(String(type.format(fallback)))]).toEqual([name, fallback])
  }
})

test('only full names of keys are names of keys', () => {
  expect(['server.port', 'port', 'server', 'server.', 'server.constructor', '__proto__'].map(isKeyName)).toEqual([
    true,
    false,
    false,
    false,
    false,
    false,
  ])
})
