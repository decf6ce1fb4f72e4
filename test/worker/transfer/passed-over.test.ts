import { expect, test } from 'bun:test'
import { PassedOver } from '../../../src/worker/transfer/passed-over.ts'

const patience_ms = 600_000

test('what has been passed over for ten minutes is owed its room, from the first time on, until it is not passed over', () => {
  let now = 5000
  const passed = new PassedOver(() => now)
  expect(passed.owed_bytes).toBe(0)
  passed.note(800)
  now += patience_ms - 1
  passed.note(900)
  expect(passed.owed_bytes).toBe(0)
  now += 1
  expect(passed.owed_bytes).toBe(900)
  passed.note(null)
  expect(passed.owed_bytes).toBe(0)
  passed.note(700)
  expect(passed.owed_bytes).toBe(0)
})
