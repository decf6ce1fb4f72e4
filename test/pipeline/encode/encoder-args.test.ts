import { describe, expect, test } from 'bun:test'
import { type EncoderRun, videoEncoderArgs } from '../../../src/pipeline/encode/encoder-args.ts'

function argsOf(choice: Partial<EncoderRun>): string {
  const size = { width: 1920, height: 1080 }
  const usual = { encoder: 'libx264', preset: 'fast', bitrate: 2_000_000, rate_hint: null, size, proof: null } as const
  return videoEncoderArgs({ ...usual, ...choice }).join(' ')
}

function vulkan(choice: Partial<EncoderRun>): string {
  return argsOf({ encoder: 'h264_vulkan', proof: { rate_control: 'vbr', quality_levels: 4 }, ...choice })
}

describe('Vulkan’s encoders', () => {
  test('have no preset; quality, tuning and rate control say what x264’s would', () => {
    expect(vulkan({})).toBe(
      '-c:v:0 h264_vulkan -quality 2 -tune hq -usage transcode -rc_mode vbr -b:v 2000000 -maxrate 4000000 -bufsize 4000000',
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
  expect(argsOf({ encoder })).toBe(`-c:v:0 ${encoder} ${expected}`)
})

test('a small picture is cut into few slices, and a tiny one into none', () => {
  expect(argsOf({ encoder: 'ffv1', size: { width: 320, height: 180 } })).toEndWith('-slices 4')
  expect(argsOf({ encoder: 'ffv1_vulkan', size: { width: 256, height: 256 } })).toEndWith('-slices 16')
  expect(argsOf({ encoder: 'ffv1', size: { width: 32, height: 18 } })).toEndWith('-slices 1')
})

describe('a quality is told', () => {
  test.each([
    ['libx264', '-preset fast -crf 25'],
    ['libx265', '-preset fast -x265-params log-level=error -crf 25.5'],
    ['libsvtav1', '-preset 8 -crf 42'],
    ['libvpx-vp9', '-deadline good -cpu-used 3 -row-mt 1 -crf 39 -b:v 0'],
    ['hevc_nvenc', '-preset p4 -rc vbr -cq 26 -b:v 0'],
    ['av1_nvenc', '-preset p4 -rc vbr -cq 32 -b:v 0'],
    ['av1_qsv', '-preset fast -global_quality:v 26'],
    ['h264_vaapi', '-rc_mode CQP -global_quality:v 26'],
    ['vp9_vaapi', '-rc_mode CQP -global_quality:v 94'],
    ['h264_amf', '-quality balanced -rc cqp -qp_i 26 -qp_p 26 -qp_b 26'],
    ['av1_amf', '-quality balanced -rc cqp -qp_i 94 -qp_p 94'],
    ['h264_videotoolbox', '-realtime 0 -allow_sw 0 -q:v 50'],
    ['prores_ks', '-profile:v hq -vendor apl0'],
    ['ffv1', '-level 3 -g 1 -slicecrc 1 -slices 16'],
  ] as const)('to %s by %s', (encoder, expected) => {
    expect(argsOf({ encoder, quality: 50 })).toBe(`-c:v:0 ${encoder} ${expected}`)
  })

  test.each(['vbr', 'cbr', 'cqp'] as const)(
    'to Vulkan’s as a constant quantizer, though %s is proved',
    (rate_control) => {
      const proof = { rate_control, quality_levels: 0 }
      expect(vulkan({ quality: 50, proof })).toEndWith('-rc_mode cqp -qp 26')
      expect(vulkan({ encoder: 'av1_vulkan', quality: 50, proof })).toEndWith('-rc_mode cqp -qp 94')
    },
  )
})

describe('a bound is told', () => {
  const most = 3_000_000
  const peaks = `-maxrate ${most} -bufsize ${most}`

  test.each([
    ['libx264', `-preset fast -b:v 2000000 ${peaks}`],
    ['libx265', `-preset fast -x265-params log-level=error -b:v 2000000 ${peaks}`],
    ['libvpx-vp9', `-deadline good -cpu-used 3 -row-mt 1 -b:v 2000000 ${peaks}`],
    // It takes none here, and fails with one.
    ['libsvtav1', '-preset 8 -b:v 2000000'],
    ['h264_nvenc', `-preset p4 -rc vbr -b:v 2000000 ${peaks}`],
    ['hevc_vaapi', `-rc_mode VBR -b:v 2000000 ${peaks}`],
    ['h264_amf', `-quality balanced -rc vbr_peak -b:v 2000000 ${peaks}`],
    ['hevc_qsv', `-preset fast -b:v 2000000 ${peaks}`],
    ['h264_videotoolbox', `-realtime 0 -allow_sw 0 -b:v 2000000 -maxrate ${most}`],
  ] as const)('beside a bitrate to %s by %s', (encoder, expected) => {
    expect(argsOf({ encoder, max_bitrate: most })).toBe(`-c:v:0 ${encoder} ${expected}`)
  })

  test.each([
    ['libx264', `-preset fast -crf 25 ${peaks}`],
    ['libx265', `-preset fast -x265-params log-level=error -crf 25.5 ${peaks}`],
    ['libvpx-vp9', `-deadline good -cpu-used 3 -row-mt 1 -crf 39 -b:v ${most} ${peaks}`],
    ['libsvtav1', '-preset 8 -crf 42 -maxrate 2250000'],
    ['h264_nvenc', `-preset p4 -rc vbr -cq 26 -b:v 0 ${peaks}`],
    ['h264_qsv', `-preset fast -global_quality:v 26 -b:v 2250000 ${peaks}`],
  ] as const)('beside a quality to %s by %s', (encoder, expected) => {
    expect(argsOf({ encoder, quality: 50, max_bitrate: most })).toBe(`-c:v:0 ${encoder} ${expected}`)
  })
})

test('x265 writes a hash of each picture where it is asked to', () => {
  expect(argsOf({ encoder: 'libx265', has_hashes: true })).toContain(' -x265-params log-level=error:hash=1 ')
  expect(argsOf({ encoder: 'libx264', has_hashes: true })).toBe(argsOf({ encoder: 'libx264' }))
})

describe('two passes', () => {
  const log_path = "/scratch/a:b c/é🎬'=\\,/pass"

  test('leave what the first one saw where they are told', () => {
    expect(argsOf({ pass: { number: 1, log_path } })).toBe(
      `-c:v:0 libx264 -preset fast -pass 1 -passlogfile ${log_path} -b:v 2000000`,
    )
    expect(argsOf({ encoder: 'libvpx-vp9', pass: { number: 2, log_path } })).toBe(
      `-c:v:0 libvpx-vp9 -deadline good -cpu-used 3 -row-mt 1 -pass 2 -passlogfile ${log_path} -maxrate 2147483647 -b:v 2000000`,
    )
  })

  test('are told to x265 in its own list, where a path may not end it', () => {
    const first = argsOf({ encoder: 'libx265', rate_hint: 30, pass: { number: 1, log_path } })
    expect(first).toContain(
      " -x265-params log-level=error:fps=30000/1000:pass=1:stats=/scratch/a\\:b\\ c/\\é\\🎬\\'\\=\\\\\\,/pass:no-slow-firstpass=1 ",
    )
    expect(argsOf({ encoder: 'libx265', pass: { number: 2, log_path: '/w/pass' } })).toContain(
      ' -x265-params log-level=error:pass=2:stats=/w/pass ',
    )
  })

  test('do without libvpx’s mode for realtime, which knows one only', () => {
    const args = argsOf({ encoder: 'libvpx-vp9', preset: 'ultrafast', pass: { number: 1, log_path: '/w/pass' } })
    expect(args).toContain('-deadline good -cpu-used 5 ')
  })
})

test('SVT-AV1 counts no more than 240 frames a second, and gets so much less for each second of what is faster', () => {
  expect(argsOf({ encoder: 'libsvtav1', rate_hint: 1000, max_bitrate: 4_000_000, quality: 60 })).toContain(
    'fps-num=240000:fps-denom=1000',
  )
  expect(argsOf({ encoder: 'libsvtav1', rate_hint: 1000 })).toEndWith('-b:v 480000')
  expect(argsOf({ encoder: 'libsvtav1', rate_hint: 29.5 })).toEndWith('-b:v 2000000')
})
