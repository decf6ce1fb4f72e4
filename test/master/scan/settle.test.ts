import { expect, test } from 'bun:test'
import { Settler } from '../../../src/master/scan/settle.ts'

const candidate = { source_path: '/in/a.mp4', siblings: [] }

function heldSettler() {
  const clock = { now: 1_000_000 }
  const settler = new Settler(10_000, () => clock.now)
  const look = (source_mtime_ms: number, source_size = 1) =>
    settler.isSettled(candidate, { source_size, source_mtime_ms })
  return { clock, settler, look }
}

test('a file last modified before the settle time is settled at once', () => {
  const { settler, look } = heldSettler()
  expect(look(990_000)).toBe(true)
  expect(settler.size).toBe(0)
})

test('a young file is due when its modification is as old as the settle time', () => {
  const { clock, settler, look } = heldSettler()
  expect(look(993_000)).toBe(false)
  expect(settler.untilDue()).toBe(3000)
  expect(settler.due()).toEqual([])
  clock.now += 3000
  expect(settler.due()).toEqual([candidate])
  expect(look(993_000)).toBe(true)
})

test('a file that grows is waited for anew', () => {
  const { clock, settler, look } = heldSettler()
  look(1_000_000, 1)
  clock.now += 10_000
  expect(look(1_009_000, 2)).toBe(false)
  expect(settler.untilDue()).toBe(9000)
})

test('a modification time in the future settles by observation', () => {
  const { clock, settler, look } = heldSettler()
  expect(look(9_000_000)).toBe(false)
  clock.now += 9000
  expect(look(9_000_000, 2)).toBe(false)
  clock.now += 9000
  expect(look(9_000_000, 2)).toBe(false)
  expect(settler.untilDue()).toBe(1000)
  clock.now += 1000
  expect(look(9_000_000, 2)).toBe(true)
})

test('a clock that is set back prolongs the wait by no more than the settle time', () => {
  const { clock, settler, look } = heldSettler()
  look(9_000_000)
  clock.now -= 500_000
  expect(settler.untilDue()).toBe(10_000)
  look(9_000_000)
  clock.now += 10_000
  expect(look(9_000_000)).toBe(true)
})

test('whoever waits is told when a file is due earlier than all before', () => {
  let earlier = 0
  const settler = new Settler(
    10_000,
    () => 1_000_000,
    () => earlier++,
  )
  settler.isSettled(candidate, { source_size: 1, source_mtime_ms: 995_000 })
  settler.isSettled({ ...candidate, source_path: '/in/b.mp4' }, { source_size: 1, source_mtime_ms: 997_000 })
  expect(earlier).toBe(1)
  settler.isSettled({ ...candidate, source_path: '/in/c.mp4' }, { source_size: 1, source_mtime_ms: 992_000 })
  expect(earlier).toBe(2)
})

test('a forgotten file is waited for no more', () => {
  const { settler, look } = heldSettler()
  look(1_000_000)
  settler.forget('/in/a.mp4')
  expect(settler.untilDue()).toBe(Infinity)
})
