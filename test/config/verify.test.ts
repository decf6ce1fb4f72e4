import { describe, expect, test } from 'bun:test'
import type { VerifySettings } from '../../src/contract/conversion.ts'
import { loadConfig } from '../../src/config/load.ts'
import { formatConfig } from '../../src/config/show.ts'
import { Verify } from '../../src/config/verify.ts'
import { readYaml } from '../../src/config/yaml-file.ts'

const metric = (name: 'vmaf' | 'xpsnr' | 'ssim', minimum: number) => ({ name, minimum })
const good: [string, VerifySettings][] = [
  ['samples', { decode: 'samples', metric: null }],
  ['full', { decode: 'full', metric: null }],
  ['Full', { decode: 'full', metric: null }],
  ['vmaf=90', { decode: 'samples', metric: metric('vmaf', 90) }],
  ['vmaf: 90', { decode: 'samples', metric: metric('vmaf', 90) }],
  ['xpsnr=38.5', { decode: 'samples', metric: metric('xpsnr', 38.5) }],
  ['full, ssim=0.95', { decode: 'full', metric: metric('ssim', 0.95) }],
  ['ssim=1, samples', { decode: 'samples', metric: metric('ssim', 1) }],
  ['decode=full, ssim=0.95', { decode: 'full', metric: metric('ssim', 0.95) }],
]

test.each(good)('%s is read, and what is written of it is read as the same', (text, value) => {
  expect(Verify.parse(text)).toEqual(value)
  expect(Verify.parse(String(Verify.format(value)))).toEqual(value)
})

test.each([
  ['ssim=95', 'ssim goes from 0 to 1'],
  ['vmaf=101', 'vmaf goes from 0 to 100'],
  ['vmaf=-1', 'vmaf goes from 0 to 100'],
  ['vmaf', 'write vmaf=90'],
  ['vmaff=90', 'did you mean vmaf?'],
  ['fulll', 'did you mean full?'],
  ['full, vmaf=90, ssim=0.9', 'one metric at a time'],
  ['full, samples', 'each may be said once'],
  ['decode=vmaf', undefined],
  ['', undefined],
])('%s is refused with a word on why', (text, hint) => {
  expect(Verify.parse(text)).toBeUndefined()
  expect(Verify.hint?.(text)).toBe(hint)
})

describe('in YAML', () => {
  test.each([
    ['conversion:\n  verify: full', { decode: 'full', metric: null }],
    ['conversion:\n  verify: {vmaf: 90}', { decode: 'samples', metric: metric('vmaf', 90) }],
    ['conversion:\n  verify:\n    decode: full\n    ssim: 0.95', { decode: 'full', metric: metric('ssim', 0.95) }],
    ['conversion:\n  verify: vmaf=90', { decode: 'samples', metric: metric('vmaf', 90) }],
  ] satisfies [string, VerifySettings][])('%p sets it, and is shown so that it is read as the same', (text, value) => {
    const [setting] = readYaml('config.yaml', text).settings
    expect(Verify.parse(typeof setting?.written === 'string' ? setting.written : '')).toEqual(value)
    const loaded = loadConfig({ environment: {}, flags: { 'conversion.verify': String(Verify.format(value)) } })
    const [, line] = /^( {2}verify: .*?)( +#.*)?$/m.exec(formatConfig(loaded)) ?? []
    const [again] = readYaml('shown.yaml', `conversion:\n${line}`).settings
    expect(Verify.parse(typeof again?.written === 'string' ? again.written : '')).toEqual(value)
  })

  test('a profile has it as a map too', () => {
    const text = 'profiles:\n  - name: films\n    conversion:\n      verify: {vmaf: 90, decode: full}'
    const [profile] = readYaml('config.yaml', text).profiles
    expect(profile?.values.get('conversion.verify')?.written).toBe('vmaf=90, decode=full')
  })

  test.each([
    ['conversion:\n  verify:\n    vmaf:', 3, 'conversion.verify.vmaf', 'expected a value, found nothing'],
    ['conversion:\n  verify:\n    vmaf: [90]', 3, 'conversion.verify.vmaf', 'expected a value, found a list'],
    ['conversion:\n  verify:\n    vmaf: {a: 1}', 3, 'conversion.verify.vmaf', 'expected a value, found a section'],
    ['conversion:\n  verify:\n    ssim: 0.9\n    ssim: 0.8', 4, 'conversion.verify.ssim', 'set twice, first on line 3'],
    ['conversion:\n  codec: {h264: 1}', 2, 'conversion.codec', 'expected a value, found a section'],
  ])('%p is a problem with its line and key', (text, line, key, message) => {
    expect(readYaml('config.yaml', text)).toEqual({
      settings: [],
      profiles: [],
      problems: [{ source: 'config.yaml', line, key, message }],
    })
  })
})
