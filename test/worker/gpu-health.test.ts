import { expect, test } from 'bun:test'
import { afterFailure, type GpuHealth, healthy, isSetAside } from '../../src/worker/gpu-health.ts'

function fail(health: GpuHealth, times: number, now: number): GpuHealth {
  return times === 0 ? health : fail(afterFailure(health, `at ${now}`, now), times - 1, now)
}

test('two failures in a row are borne, the third sets the GPU aside for a minute', () => {
  expect(isSetAside(fail(healthy, 2, 5000), 5000)).toBe(false)
  const third = fail(healthy, 3, 5000)
  expect(third).toMatchObject({ failures: 3, reason: 'at 5000' })
  expect([isSetAside(third, 64_999), isSetAside(third, 65_000)]).toEqual([true, false])
})

test('what had begun before it was set aside makes the pause no longer', () => {
  const third = fail(healthy, 3, 5000)
  expect(fail(third, 5, 6000)).toEqual(third)
})

test('one that fails again after its pause is set aside at once, for twice as long, an hour at most', () => {
  let health = fail(healthy, 3, 0)
  const pauses: number[] = []
  for (let round = 0; round < 8; round++) {
    const now = health.aside_until
    health = afterFailure(health, 'again', now)
    pauses.push((health.aside_until - now) / 60_000)
  }
  expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60, 60])
})
