import { describe, expect, test } from 'bun:test'
import { ConfigError } from '../../src/config/problems.ts'
import { loadConfig } from '../../src/config/load.ts'

function problemsOf(flags: Record<string, string>) {
  try {
    loadConfig({ environment: {}, flags })
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ key, message }) => [key, message])
  }
}

describe('container and codecs', () => {
  test('webm with the default codecs has both faults at once', () => {
    expect(problemsOf({ 'conversion.container': 'webm' })).toEqual([
      ['conversion.container', 'webm holds vp9 or av1, not h264 (conversion.container with conversion.codec)'],
      ['conversion.container', 'webm holds opus, not aac (conversion.container with conversion.audio_codec)'],
    ])
  })

  test('webm with vp9 and opus is right, and mkv holds all', () => {
    const webm = { 'conversion.container': 'webm', 'conversion.codec': 'vp9', 'conversion.audio_codec': 'opus' }
    expect(problemsOf(webm)).toEqual([])
    expect(problemsOf({ ...webm, 'conversion.container': 'mkv' })).toEqual([])
  })

  test('ffv1 and prores go into mkv and mov, not into mp4', () => {
    for (const codec of ['ffv1', 'prores']) {
      const flags = { 'conversion.codec': codec, 'conversion.container': 'mov' }
      expect(problemsOf(flags)).toEqual([])
      expect(problemsOf({ ...flags, 'conversion.container': 'mkv' })).toEqual([])
      expect(problemsOf({ 'conversion.codec': codec })).toEqual([
        [
          'conversion.codec',
          `mp4 holds h264 or hevc or av1 or vp9, not ${codec} (conversion.container with conversion.codec)`,
        ],
      ])
    }
  })

  test('mov holds no opus', () => {
    expect(problemsOf({ 'conversion.container': 'mov', 'conversion.audio_codec': 'opus' })).toEqual([
      ['conversion.container', 'mov holds aac, not opus (conversion.container with conversion.audio_codec)'],
    ])
  })
})

describe('the rate', () => {
  test('peaks are not bounded below the mean, be it the default’s', () => {
    expect(problemsOf({ 'conversion.max_bitrate': '3M' })).toEqual([
      ['conversion.max_bitrate', 'expected conversion.max_bitrate to be at least conversion.bitrate (5M), found 3M'],
    ])
    expect(problemsOf({ 'conversion.max_bitrate': '3M', 'conversion.bitrate': '3M' })).toEqual([])
  })

  test('beside a quality any bound is right, since no mean is held', () => {
    expect(problemsOf({ 'conversion.max_bitrate': '3M', 'conversion.quality': '60' })).toEqual([])
  })

  test('two passes hold a bitrate, not a quality', () => {
    expect(problemsOf({ 'conversion.two_pass': 'true', 'conversion.quality': '60' })).toEqual([
      [
        'conversion.two_pass',
        'expected conversion.two_pass to be false with conversion.quality (60): two passes hold a bitrate, and a quality has none',
      ],
    ])
    expect(problemsOf({ 'conversion.two_pass': 'true' })).toEqual([])
    expect(problemsOf({ 'conversion.quality': '60' })).toEqual([])
  })
})

test('a GPU cannot be required and forbidden at once', () => {
  expect(problemsOf({ 'ffmpeg.gpu': 'require', 'ffmpeg.use_vulkan': 'false' })).toEqual([
    ['ffmpeg.gpu', 'expected ffmpeg.use_vulkan to be true with ffmpeg.gpu: require, found false, which means gpu: off'],
  ])
  expect(problemsOf({ 'ffmpeg.use_vulkan': 'false' })).toEqual([])
})

describe('results and sources', () => {
  test.each([
    ['/films', '/films'],
    ['/films', '/films/'],
    ['/films', '/films/x/..'],
    ['/films/new', '/films'],
    ['/films', '/'],
    ['films', '.'],
    ['.', '..'],
  ])('sources %p with results in %p are refused', (root, base) => {
    expect(problemsOf({ 'scanner.root_path': root, 'scanner.output_base': base })[0]).toEqual([
      'scanner.output_base',
      'expected scanner.output_base to be another folder than scanner.root_path that does not contain it, or results would lie among the sources',
    ])
  })

  test.each([
    ['/films', '/films/converted'],
    ['/films', '/films2'],
    ['/films2', '/films'],
    ['/', '/converted'],
    ['/a/..b', '/a/b'],
    ['.', './converted'],
  ])('sources %p with results in %p are right', (root, base) => {
    expect(problemsOf({ 'scanner.root_path': root, 'scanner.output_base': base })).toEqual([])
  })
})

test('the longest pause before a retry is not shorter than the first', () => {
  expect(problemsOf({ 'queue.retry_delay': '1h' })).toEqual([
    ['queue.retry_delay', 'expected queue.max_retry_delay to be at least queue.retry_delay (1h), found 10m'],
  ])
  expect(problemsOf({ 'queue.retry_delay': '10m' })).toEqual([])
})

test('a heartbeat slower than the worker timeout is refused where both are set', () => {
  expect(problemsOf({ 'worker.heartbeat_interval': '3m' })).toEqual([])
  expect(problemsOf({ 'queue.worker_timeout': '5s' })).toEqual([])
  expect(problemsOf({ 'worker.heartbeat_interval': '3m', 'queue.worker_timeout': '3m' })).toEqual([
    [
      'worker.heartbeat_interval',
      'expected worker.heartbeat_interval to be shorter than queue.worker_timeout (3m), found 3m',
    ],
  ])
})

test('a rule is not asked while one of its keys is wrong itself', () => {
  expect(problemsOf({ 'queue.retry_delay': '1h', 'queue.max_retry_delay': 'long' }).map(([key]) => key)).toEqual([
    'queue.max_retry_delay',
  ])
})

describe('replace mode', () => {
  test('is at odds with the replacement of foreign files, and makes no use of the output folder', () => {
    expect(problemsOf({ 'replace.enabled': 'true', 'conversion.overwrite': 'true' })).toEqual([
      [
        'replace.enabled',
        'expected conversion.overwrite to be false with replace.enabled: true, which replaces nothing but the source itself',
      ],
    ])
    const same = { 'scanner.root_path': '/videos', 'scanner.output_base': '/videos' }
    expect(problemsOf({ ...same, 'replace.enabled': 'true' })).toEqual([])
    expect(problemsOf({ ...same, 'replace.enabled': 'false' })).toHaveLength(1)
  })
})
