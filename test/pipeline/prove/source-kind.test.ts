import { expect, test } from 'bun:test'
import { sizeClassOf } from '../../../src/pipeline/prove/source-kind.ts'

test('classes of size are by pixels, so a wide film is what its neighbour is', () => {
  expect(sizeClassOf({ width: 1024, height: 576 })).toBe('sd')
  expect(sizeClassOf({ width: 1280, height: 720 })).toBe('hd')
  expect(sizeClassOf({ width: 1920, height: 1088 })).toBe('hd')
  expect(sizeClassOf({ width: 3840, height: 1608 })).toBe('uhd')
})
