import { describe, expect, test } from 'bun:test'
import { type EncoderChoice, videoEncoderArgs } from '../../src/pipeline/encoder-args.ts'

function argsOf(choice: Partial<EncoderChoice>): string {
  const size = { width: 1920, height: 1080 }
  const usual = { encoder: 'libx264', preset: 'fast', bitrate: 2_000_000, rate_hint: null, size, proof: null } as const
  return videoEncoderArgs({ ...usual, ...choice }).join(' ')
}

function vulkan(choice: Partial<EncoderChoice>): string {
  return argsOf({ encoder: 'h264_vulkan', proof: { rate_control: 'vbr', quality_levels: 4 }, ...choice })
}

describe('Vulkan’s encoders', () => {
  test('have no preset; quality, tuning and rate control say what x264’s would', () => {
    expect(vulkan({})).toBe(
      '-c:v h264_vulkan -quality 2 -tune hq -usage transcode -rc_mode vbr -b:v 2000000 -maxrate 4000000 -bufsize 4000000',
    )
  })

  test.each([
    ['ultrafast', '-quality 0 -tune default'],
    ['veryfast', '-quality 1 -tune default'],
    ['slow', '-quality 2 -tune hq'],
    ['veryslow', '-quality 3 -tune hq'],
  ] as const)('%s is %s of four levels', (preset, expected) => {
    expect(vulkan({ preset })).toContain(expected)
  })

  test('are told no quality where the driver has one level only', () => {
    expect(vulkan({ proof: { rate_control: 'vbr', quality_levels: 1 } })).not.toContain('-quality')
  })

  test('are held to the rate by the best that the driver has, always by name', () => {
    expect(vulkan({ proof: { rate_control: 'cbr', quality_levels: 0 } })).toEndWith(
      '-rc_mode cbr -b:v 2000000 -maxrate 2000000',
    )
    expect(vulkan({ proof: { rate_control: 'cqp', quality_levels: 0 } })).toEndWith('-rc_mode cqp -qp 24')
    expect(vulkan({ encoder: 'av1_vulkan', proof: { rate_control: 'cqp', quality_levels: 0 } })).toEndWith('-qp 110')
  })
})

test.each([
  ['h264_nvenc', '-preset p4 -rc vbr -b:v 2000000 -maxrate 4000000 -bufsize 4000000'],
  ['hevc_qsv', '-preset fast -b:v 2000000 -maxrate 4000000 -bufsize 4000000'],
  ['av1_vaapi', '-rc_mode VBR -b:v 2000000 -maxrate 4000000 -bufsize 4000000'],
  ['h264_amf', '-quality balanced -rc vbr_peak -b:v 2000000 -maxrate 4000000 -bufsize 4000000'],
  ['hevc_videotoolbox', '-realtime 0 -allow_sw 0 -b:v 2000000'],
  ['prores_videotoolbox', '-profile:v hq'],
  ['prores_ks_vulkan', '-profile:v hq'],
  ['prores_ks', '-profile:v hq -vendor apl0'],
  ['ffv1', '-level 3 -g 1 -slicecrc 1 -slices 16'],
  ['ffv1_vulkan', '-level 3 -g 1 -slicecrc 1 -slices 256'],
] as const)('%s is told %s', (encoder, expected) => {
  expect(argsOf({ encoder })).toBe(`-c:v ${encoder} ${expected}`)
})

test('a small picture is cut into few slices, and a tiny one into none', () => {
  expect(argsOf({ encoder: 'ffv1', size: { width: 320, height: 180 } })).toEndWith('-slices 4')
  expect(argsOf({ encoder: 'ffv1_vulkan', size: { width: 256, height: 256 } })).toEndWith('-slices 16')
  expect(argsOf({ encoder: 'ffv1', size: { width: 32, height: 18 } })).toEndWith('-slices 1')
})
