import { expect, test } from 'bun:test'
import { Reach } from '../../src/master/reach.ts'

function openReach() {
  let now = 1_000_000
  return { reach: new Reach(() => now, 1000), pass: (ms: number) => (now += ms) }
}

test('a source is taken by another worker that has told so much or more, not by who asks', () => {
  const { reach } = openReach()
  reach.asked('small', 10)
  expect(reach.isTakenByOther('small', 1)).toBe(false)
  reach.asked('roomy', 20)
  expect([20, 21].map((bytes) => reach.isTakenByOther('small', bytes))).toEqual([true, false])
  expect([10, 11].map((bytes) => reach.isTakenByOther('roomy', bytes))).toEqual([true, false])
  reach.left('roomy')
  expect(reach.isTakenByOther('small', 20)).toBe(false)
})

test('who has not told takes any size, and one who was silent for too long is not there', () => {
  const { reach, pass } = openReach()
  reach.heard('unknown')
  expect(reach.isTakenByOther('small', 10 ** 15)).toBe(true)
  pass(999)
  expect(reach.isTakenByOther('small', 1)).toBe(true)
  pass(1)
  expect(reach.isTakenByOther('small', 1)).toBe(false)
  reach.heard('unknown')
  expect(reach.isTakenByOther('small', 1)).toBe(true)
})

test('a worker that is at work for long is remembered by what it told when it asked', () => {
  const { reach, pass } = openReach()
  reach.asked('small', 10)
  pass(5000)
  expect(reach.isTakenByOther('w', 5)).toBe(false)
  reach.heard('small')
  expect([10, 11].map((bytes) => reach.isTakenByOther('w', bytes))).toEqual([true, false])
})
