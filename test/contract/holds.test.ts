import { describe, expect, test } from 'bun:test'
import { loadConfig } from '../../src/config/load.ts'
import { firstHolding, holds, isCompliant, type KnownSource } from '../../src/contract/holds.ts'
import type { SourceCondition, SourceFacts } from '../../src/contract/profile.ts'

const { conversion: settings } = loadConfig({ environment: {}, flags: {} }).config

const source = (facts: Partial<SourceFacts> = {}, source_path = '/films/a.mp4'): KnownSource => ({
  source_path,
  facts: {
    codec: 'h264',
    width: 1920,
    height: 1080,
    is_hdr: false,
    bit_rate: 4_000_000,
    duration_seconds: 60,
    format: 'mov',
    ...facts,
  },
})

describe('a condition', () => {
  test.each<[SourceCondition, Partial<SourceFacts>, boolean]>([
    [{}, {}, true],
    [{ codec: ['hevc', 'h264'] }, {}, true],
    [{ codec: ['hevc'] }, {}, false],
    [{ min_height: 1080, max_height: 1080 }, {}, true],
    [{ min_height: 1081 }, {}, false],
    [{ max_height: 1079 }, {}, false],
    [{ hdr: false }, {}, true],
    [{ hdr: true }, {}, false],
    [{ hdr: true }, { is_hdr: true }, true],
    [{ min_bitrate: 4_000_000, max_bitrate: 4_000_000 }, {}, true],
    [{ min_bitrate: 4_000_001 }, {}, false],
    [{ min_bitrate: 0 }, { bit_rate: null }, false],
    [{ max_bitrate: 1e12 }, { bit_rate: null }, false],
    [{ min_duration: 60, max_duration: 60 }, {}, true],
    [{ max_duration: 59.99 }, {}, false],
    [{ min_duration: 0 }, { duration_seconds: null }, false],
    [{ codec: ['h264'], max_height: 720 }, {}, false],
    [{ compliant: true }, {}, true],
    [{ compliant: false }, {}, false],
    [{ compliant: false }, { codec: 'mpeg4' }, true],
  ])('%p on a source with %p holds: %p', (when, facts, expected) => {
    expect(holds({ when, settings }, source(facts))).toBe(expected)
  })
})

const profile = (name: string, when: SourceCondition) => ({ name, when, skip: false, priority: null, settings })

test('the first of the profiles that holds is the one', () => {
  const profiles = [profile('a', { hdr: true }), profile('b', { min_height: 720 }), profile('c', {})]
  expect(firstHolding(profiles, source())?.name).toBe('b')
  expect(firstHolding(profiles, source({ is_hdr: true }))?.name).toBe('a')
  expect(firstHolding(profiles, source({ height: 480 }))?.name).toBe('c')
  expect(firstHolding(profiles.slice(0, 2), source({ height: 480 }))).toBeUndefined()
})

describe('a source is what the settings ask for', () => {
  test.each([
    ['as they are', source(), true],
    ['in a smaller picture', source({ width: 640, height: 360 }), true],
    ['at the bit rate of picture and sound, and a tenth more', source({ bit_rate: 5_128_000 * 1.1 }), true],
  ])('%s', (_, known, expected) => {
    expect(isCompliant(known, settings)).toBe(expected)
  })

  test.each([
    ['another codec', source({ codec: 'hevc' })],
    ['a wider picture', source({ width: 1922 })],
    ['a higher picture', source({ height: 1082 })],
    ['a higher bit rate', source({ bit_rate: 5_128_000 * 1.1 + 1 })],
    ['a bit rate that is not known', source({ bit_rate: null })],
    ['another container', source({ format: 'matroska' })],
    ['a container that no result has', source({ format: 'avi' })],
    ['a mov, which FFmpeg reads as it does an mp4', source({}, '/films/A.MOV')],
  ])('but for %s', (_, known) => {
    expect(isCompliant(known, settings)).toBe(false)
  })

  test('of mkv and webm by its name', () => {
    const inMkv = { ...settings, container: 'mkv' as const }
    const inWebm = { ...settings, container: 'webm' as const }
    const [mkv, webm] = ['/a.mkv', '/a.webm'].map((path) => source({ format: 'matroska' }, path))
    if (!mkv || !webm) throw new Error('two of them')
    expect([isCompliant(mkv, inMkv), isCompliant(webm, inWebm)]).toEqual([true, true])
    expect([isCompliant(webm, inMkv), isCompliant(mkv, inWebm)]).toEqual([false, false])
  })

  test('in quality mode whatever its bit rate is, unless that has a bound', () => {
    const quality = { ...settings, quality: 60 }
    expect(isCompliant(source({ bit_rate: null }), quality)).toBe(true)
    expect(isCompliant(source({ bit_rate: 90_000_000 }), quality)).toBe(true)
    expect(isCompliant(source({ bit_rate: 90_000_000 }), { ...quality, max_bitrate: 8_000_000 })).toBe(false)
    expect(isCompliant(source({ bit_rate: 8_000_000 }), { ...quality, max_bitrate: 8_000_000 })).toBe(true)
  })

  test('as ffv1 and prores whatever its bit rate is', () => {
    const prores = { ...settings, codec: 'prores' as const, container: 'mov' as const }
    expect(isCompliant(source({ codec: 'prores', bit_rate: 900_000_000 }, '/a.mov'), prores)).toBe(true)
  })
})
