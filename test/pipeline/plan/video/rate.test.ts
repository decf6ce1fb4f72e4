import { expect, test } from 'bun:test'
import type { ConversionSettings } from '../../../../src/contract/conversion.ts'
import type { VideoEncoder } from '../../../../src/pipeline/plan/video/encoders.ts'
import { planRate } from '../../../../src/pipeline/plan/video/rate.ts'
import { capability } from '../../../support/capability.ts'
import { settings } from '../../samples.ts'

function planned(encoder: VideoEncoder, changes: Partial<ConversionSettings>, rate_control: 'vbr' | 'cqp' = 'vbr') {
  const proof = encoder.endsWith('_vulkan') ? { rate_control, quality_levels: 1 } : null
  const { passes, notes } = planRate(settings(changes), { encoder, proof: proof && { ...capability(), ...proof } })
  return [passes, ...notes]
}

test.each(['libx264', 'libx265', 'libvpx-vp9'] as const)(
  '%s looks twice to hold a bitrate, and once for a quality',
  (encoder) => {
    expect(planned(encoder, {})).toEqual([1])
    expect(planned(encoder, { two_pass: true })).toEqual([2])
    expect(planned(encoder, { two_pass: true, quality: 50 })).toEqual([1])
  },
)

test.each(['libsvtav1', 'h264_vulkan', 'hevc_nvenc', 'av1_qsv'] as const)('%s looks once, and says so', (encoder) => {
  expect(planned(encoder, { two_pass: true })).toEqual([
    1,
    `one pass instead of two: ${encoder} makes no use of a second one`,
  ])
  expect(planned(encoder, { two_pass: true, quality: 50 })).toEqual([1])
})

test('libvpx holds a bound in one pass only, x264 in two as well', () => {
  const both = { two_pass: true, max_bitrate: 3_000_000 }
  expect(planned('libvpx-vp9', both)).toEqual([1, 'one pass instead of two: libvpx-vp9 holds max_bitrate in one only'])
  expect(planned('libx264', both)).toEqual([2])
})

test.each(['ffv1', 'prores_ks', 'prores_videotoolbox'] as const)(
  '%s has no rate that two passes or a bound could hold',
  (encoder) => {
    expect(planned(encoder, { two_pass: true })).toEqual([1])
    expect(planned(encoder, { max_bitrate: 3_000_000 })).toEqual([
      1,
      `max_bitrate was not held: ${encoder} takes the bits that it needs`,
    ])
  },
)

test.each([
  ['libsvtav1', false, true],
  ['libx264', true, true],
  ['libvpx-vp9', true, true],
  ['h264_vulkan', true, false],
  ['hevc_nvenc', true, true],
  ['h264_qsv', true, true],
  ['av1_vaapi', true, false],
  ['h264_amf', true, false],
  ['hevc_videotoolbox', true, true],
] as const)('%s is bound beside a bitrate: %p, beside a quality: %p', (encoder, byBitrate, byQuality) => {
  const most = { max_bitrate: 3_000_000 }
  expect(planned(encoder, most)).toHaveLength(byBitrate ? 1 : 2)
  expect(planned(encoder, { ...most, quality: 50 })).toHaveLength(byQuality ? 1 : 2)
})

test('a driver that knows a constant quantizer only holds no bound', () => {
  expect(planned('hevc_vulkan', { max_bitrate: 3_000_000 }, 'cqp')).toEqual([
    1,
    "max_bitrate was not held: this driver's hevc_vulkan holds no rate",
  ])
})
