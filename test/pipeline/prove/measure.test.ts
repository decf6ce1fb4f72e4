import { expect, test } from 'bun:test'
import { FrameWatch } from '../../../src/pipeline/prove/measure.ts'

function watch(...reports: [at: number, frames: number][]): FrameWatch {
  const seen = new FrameWatch(0)
  for (const [at, frames] of reports) seen.see(frames, at)
  return seen
}

test('speed is counted from the first frames to the last, without the start-up', () => {
  const seen = watch([500, 0], [1000, 0], [1500, 30], [2000, 60], [2500, 90])
  expect(seen).toMatchObject({ frames: 90, seconds: 1, fps: 60 })
})

test('reports without new frames count for nothing, since encoders give frames in bursts', () => {
  expect(watch([1000, 32], [2000, 32], [3000, 64], [3500, 64], [4000, 64]).fps).toBe(16)
})

test('one report is measured from the start, and none is no speed', () => {
  expect(watch([4000, 2]).fps).toBe(0.5)
  expect(watch().fps).toBe(0)
})

test('frames that do not come are a problem; slow ones, and bursts, are none', () => {
  expect(watch().problem(12_000)).toBe('there was no frame within 12 s')
  expect(watch([500, 30], [1000, 61]).problem(12_000)).toBe('it stood still after 61 frames')
  expect(watch([5000, 32]).problem(12_000)).toBeNull()
  expect(watch([500, 30], [11_500, 600]).problem(12_000)).toBeNull()
})
