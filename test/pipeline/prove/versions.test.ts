import { expect, test } from 'bun:test'
import { tooOldToDecode, whyMissing } from '../../../src/pipeline/prove/versions.ts'

test.each([
  ['5.1.9-0+deb12u1', 'h264_vulkan', 'ffmpeg 5.1.9 has no h264_vulkan; 7.1 or newer is needed'],
  ['7.1.5-0+deb13u1', 'ffv1_vulkan', 'ffmpeg 7.1.5 has no ffv1_vulkan; 8.0 or newer is needed'],
  ['n8.0', 'prores_ks_vulkan', 'ffmpeg 8.0 has no prores_ks_vulkan; 8.1 or newer is needed'],
  ['9.0.2-4', 'av1_vulkan', 'ffmpeg 9.0.2 has no av1_vulkan; it was built without it'],
  ['N-118345-g5ec3b1a9a6', 'av1_vulkan', 'ffmpeg N-118345-g5ec3b1a9a6 has no av1_vulkan; it was built without it'],
  ['5.1.9', 'scale_vulkan', 'ffmpeg 5.1.9 has no scale_vulkan; it was built without it'],
])('ffmpeg %s without %s', (version, name, reason) => {
  expect(whyMissing(version, name)).toBe(reason)
})

test('what an ffmpeg cannot decode yet is told, and what it may decode is not', () => {
  const reason = 'ffmpeg 7.1.5 cannot decode vp9 by Vulkan; 8.0 or newer is needed'
  expect(tooOldToDecode('7.1.5-0+deb13u1', 'vp9')).toBe(reason)
  expect(tooOldToDecode('7.1.5-0+deb13u1', 'h264')).toBeNull()
  expect(tooOldToDecode('9.0.2', 'prores')).toBeNull()
})
