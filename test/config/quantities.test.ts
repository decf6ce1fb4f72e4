import { describe, expect, test } from 'bun:test'
import {
  Bitrate,
  Duration,
  formatBitrate,
  formatDurationText,
  formatSize,
  parseBitrate,
  parseDuration,
  parseSize,
  Resolution,
  Size,
} from '../../src/config/quantities.ts'

describe('durations', () => {
  test.each([
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['2h0m0s', 7_200_000],
    ['1m500ms', 60_500],
    ['1.5h', 5_400_000],
    ['0.25s', 250],
    [' 10m\n', 600_000],
    ['0', 0],
    ['0s', 0],
  ])('%p is read', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  test.each([
    '',
    ' ',
    '90',
    '1.5',
    '-1s',
    '+1s',
    '1',
    's',
    'm',
    '1x',
    '1S',
    '5M',
    '1 minute',
    '30m1h',
    '1s1s',
    '1.s',
    '.5s',
    '1..5s',
    '0.0001s',
    '1e3s',
    '1h30',
    'Infinity',
    'NaN',
    '٣s',
    `${'9'.repeat(30)}d`,
  ])('%p is refused', (text) => {
    expect(parseDuration(text)).toBeUndefined()
  })

  test('are written back so that they read the same', () => {
    expect([0, 1, 500, 1500, 90_000, 600_000, 7_200_000, 86_400_000, 90_061_001].map(formatDurationText)).toEqual([
      '0s',
      '1ms',
      '500ms',
      '1s500ms',
      '1m30s',
      '10m',
      '2h',
      '1d',
      '1d1h1m1s1ms',
    ])
    for (let ms = 1; ms < 2_000_000_000; ms = ms * 3 + 7) expect(parseDuration(formatDurationText(ms))).toBe(ms)
  })

  test('a text of spaces without end is refused at once', () => {
    expect(parseDuration(`1d${' '.repeat(100_000)}x`)).toBeUndefined()
  })

  test('stay within what a timer can hold', () => {
    const type = Duration('1s')
    expect(type.parse('24d')).toBeLessThan(2 ** 31)
    expect(['24d1ms', '25d', '999ms', '0'].map((text) => type.parse(text))).toEqual(Array(4).fill(undefined))
  })

  test('may be 0 only where 0 means something', () => {
    expect(Duration('1s', { zero: true }).parse('0')).toBe(0)
    expect(Duration('1s', { zero: true }).parse('10ms')).toBeUndefined()
    expect(Duration('0s').parse('0')).toBe(0)
  })

  test('a bare number is met with a hint', () => {
    expect(Duration('1s').hint?.('90')).toBe('write 90s')
    expect(Duration('1s').hint?.('0')).toBeUndefined()
    expect(Duration('1s').hint?.('soon')).toBeUndefined()
  })
})

describe('bitrates', () => {
  test.each([
    ['5M', 5_000_000],
    ['5m', 5_000_000],
    ['2.5M', 2_500_000],
    ['2.51M', 2_510_000],
    ['128k', 128_000],
    ['128K', 128_000],
    ['5000000', 5_000_000],
    ['5Mbps', 5_000_000],
    ['5 Mbit/s', 5_000_000],
    ['800 kb/s', 800_000],
    ['1G', 1_000_000_000],
  ])('%p is read', (text, bits) => {
    expect(parseBitrate(text)).toBe(bits)
  })

  test.each([
    '',
    'M',
    '-5M',
    '5MB',
    '5MB/s',
    '5MBps',
    '5Mi',
    '5T',
    '1.5',
    '0.0001k',
    '5,000',
    '5_000',
    '1e6',
    '5M5k',
    '0x10',
    'fast',
    '9'.repeat(40),
  ])('%p is refused', (text) => {
    expect(parseBitrate(text)).toBeUndefined()
  })

  test('are written back so that they read the same', () => {
    expect([5_000_000, 2_500_000, 128_000, 800, 1_234_567].map(formatBitrate)).toEqual([
      '5M',
      '2.5M',
      '128k',
      '800',
      '1234567',
    ])
    for (let bits = 1; bits < 2_000_000_000; bits = bits * 3 + 10) expect(parseBitrate(formatBitrate(bits))).toBe(bits)
  })

  test('have bounds, which catch a forgotten unit', () => {
    const type = Bitrate('10k', '1G')
    expect(['5', '9999', '1.1G'].map((text) => type.parse(text))).toEqual([undefined, undefined, undefined])
    expect(['10k', '1G'].map((text) => type.parse(text))).toEqual([10_000, 1_000_000_000])
    expect(type.hint?.('5MB/s')).toBe('in bits, not bytes')
  })
})

describe('sizes', () => {
  test.each([
    ['1G', 1_000_000_000],
    ['500M', 500_000_000],
    ['1.5 TB', 1_500_000_000_000],
    ['20k', 20_000],
    ['123', 123],
    ['0', 0],
    ['0G', 0],
  ])('%p is read', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  test.each(['', 'G', '-1G', '1GiB', '1Gi', '1P', '1.5', '0.0001k', '1,000', '1e9', '1G5M', 'all', '9'.repeat(40)])(
    '%p is refused',
    (text) => {
      expect(parseSize(text)).toBeUndefined()
    },
  )

  test('are written back so that they read the same', () => {
    expect([0, 999, 1000, 1_500_000, 1_000_000_000, 1_234_567].map(formatSize)).toEqual([
      '0',
      '999',
      '1k',
      '1.5M',
      '1G',
      '1234567',
    ])
    for (let bytes = 1; bytes < 1e14; bytes = bytes * 3 + 10) expect(parseSize(formatSize(bytes))).toBe(bytes)
  })

  test('are those of disks, and powers of 1000', () => {
    expect([Size.parse('1000T'), Size.parse('1001T')]).toEqual([1e15, undefined])
    expect(Size.hint?.('1GiB')).toBe('in powers of 1000, without the i')
  })
})

describe('resolutions', () => {
  test.each([
    ['1920x1080', 1920, 1080],
    ['1920X1080', 1920, 1080],
    ['1920 × 1080', 1920, 1080],
    ['1080p', 1920, 1080],
    ['4K', 3840, 2160],
    ['2x16384', 2, 16_384],
  ])('%p is read', (text, width, height) => {
    expect(Resolution.parse(text)).toEqual({ width, height })
  })

  test.each([
    '',
    'x',
    '1920',
    '1920x',
    '1921x1080',
    '1920x1081',
    '0x0',
    '-2x2',
    '16386x2',
    '1920x1080x2',
    '1920*1080',
    '1e3x2',
    '999p',
    'constructor',
    'HD',
  ])('%p is refused', (text) => {
    expect(Resolution.parse(text)).toBeUndefined()
  })

  test('are written back as width and height', () => {
    expect(Resolution.format({ width: 1280, height: 720 })).toBe('1280x720')
  })
})
