import { describe, expect, test } from 'bun:test'
import { quantizerOf } from '../../../src/pipeline/encode/quality.ts'
import type { VideoEncoder } from '../../../src/pipeline/plan/video/encoders.ts'

/** With the ends of what each takes, the better one last; VideoToolbox counts upwards. */
const scales: [VideoEncoder, worst: number, best: number][] = [
  ['libx264', 51, 1],
  ['libx265', 51, 1],
  ['libsvtav1', 63, 1],
  ['libvpx-vp9', 63, 1],
  ['h264_vulkan', 51, 1],
  ['av1_vulkan', 255, 1],
  ['hevc_nvenc', 51, 1],
  ['av1_nvenc', 63, 1],
  ['vp9_qsv', 51, 1],
  ['hevc_vaapi', 52, 1],
  ['vp9_vaapi', 255, 1],
  ['av1_amf', 255, 1],
  ['hevc_videotoolbox', 1, 100],
]

describe.each(scales)('the scale of %s', (encoder, worst, best) => {
  test('gets better with every step or stays, and never leaves what it takes', () => {
    const direction = Math.sign(best - worst)
    let last = worst
    for (let quality = 1; quality <= 100; quality++) {
      const value = quantizerOf(encoder, quality)
      expect((value - last) * direction).toBeGreaterThanOrEqual(0)
      expect((best - value) * direction).toBeGreaterThanOrEqual(0)
      last = value
    }
    expect(last).not.toBe(quantizerOf(encoder, 50))
  })
})

test('libx264 goes in a straight line from 39.7 to 10', () => {
  expect([1, 50, 57, 100].map((quality) => quantizerOf('libx264', quality))).toEqual([39.7, 25, 22.9, 10])
})
