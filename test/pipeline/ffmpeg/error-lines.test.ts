import { expect, test } from 'bun:test'
import { isErrorLine } from '../../../src/pipeline/ffmpeg/error-lines.ts'

test('warnings are no errors, but for holes in the data', () => {
  expect(isErrorLine('[aac @ 0x55d0] [warning] Too many bits 8832.0 > 6144 per frame requested')).toBe(false)
  expect(isErrorLine('[warning] Guessed Channel Layout for Input Stream #0.1 : mono')).toBe(false)
  expect(isErrorLine('[warning] file:/in: corrupt decoded frame in stream 0')).toBe(true)
  expect(isErrorLine('[mov @ 0x55d0] [warning] Packet corrupt (stream = 0, dts = 27136).')).toBe(true)
})
