import { expect, test } from 'bun:test'
import { parseScore } from '../../../src/pipeline/verify/picture-score.ts'

test('ssim is that of all planes', () => {
  const line =
    '[Parsed_ssim_0 @ 0x7fd250002000] [info] SSIM Y:0.969556 (15.165052) U:0.962475 (14.256768) V:0.966986 (14.813049) All:0.967948 (14.941425)'
  expect(parseScore('ssim', line)).toBe(0.967948)
  expect(parseScore('ssim', line.replace('0.967948 (14.941425)', '1.000000 (inf)'))).toBe(1)
  expect(parseScore('ssim', '[Parsed_ssim_12 @ 0x5] SSIM Y:1.0 (inf) All:0.5 (3.0)')).toBe(0.5)
})

test('xpsnr is the least of the planes, and 100 where the pictures are equal', () => {
  const line = '[Parsed_xpsnr_2 @ 0x7efd30002780] [info] XPSNR  y: 40.6061  u: 45.2996  v: 39.9363  (minimum: 39.9363)'
  expect(parseScore('xpsnr', line)).toBe(39.9363)
  expect(parseScore('xpsnr', line.replaceAll(/\d+\.\d{4}/g, 'inf'))).toBe(100)
  expect(parseScore('xpsnr', line.replace('40.6061', 'inf'))).toBe(39.9363)
})

test('xpsnr is read though another thread wrote in its midst', () => {
  expect(
    parseScore('xpsnr', '[Parsed_xpsnr_12 @ 0x7f81] [info] XPSNR  y: 58.9235Encoder thread received EOF'),
  ).toBeUndefined()
  const rest = '[Parsed_xpsnr_12 @ 0x7f81] [info]   u: 55.0597  v: 55.2232  (minimum: 55.0597)'
  expect(parseScore('xpsnr', rest)).toBe(55.0597)
})

/** In the words of vf_libvmaf.c of FFmpeg, `VMAF score: %f`, and of older ones; no build here has the filter. */
test.each([
  '[Parsed_libvmaf_4 @ 0x55d0c3b2f3c0] [info] VMAF score: 95.123456',
  '[libvmaf @ 0x55d0c3b2f3c0] [info] VMAF score: 95.123456',
  '[Parsed_libvmaf_0 @ 0x7f8] VMAF score = 95.123456',
])('vmaf is read from %s', (line) => {
  expect(parseScore('vmaf', line)).toBe(95.123456)
})

test('other lines tell no score', () => {
  for (const line of [
    '[info] Stream #0:0 (hevc) -> ssim',
    '[Parsed_ssim_0 @ 0x7fd] [warning] not matching timebases found between first input: 1/1000',
    'n:1 Y:0.98 U:0.98 V:0.98 All:0.98 (17.0)',
  ]) {
    expect([parseScore('ssim', line), parseScore('xpsnr', line), parseScore('vmaf', line)]).toEqual([
      undefined,
      undefined,
      undefined,
    ])
  }
})
