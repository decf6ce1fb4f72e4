import { describe, expect, test } from 'bun:test'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { SourceFacts } from '../../src/contract/profile.ts'
import { settingsChanges, sizeBoundChange } from '../../src/master/settings-changes.ts'
import { settings } from '../pipeline/samples.ts'

const facts: SourceFacts = {
  codec: 'h264',
  width: 1280,
  height: 720,
  is_hdr: false,
  bit_rate: 3_000_000,
  duration_seconds: 60,
  format: 'mov',
}
const box = (width: number, height: number) => ({ target_resolution: { width, height } })
type Some = Partial<ConversionSettings>
const changes = (before: Some, now: Some, known: SourceFacts | null = facts) =>
  settingsChanges(settings(before), settings(now), known)

describe('what changes a result is named with both values:', () => {
  test.each<[Some, Some, string[]]>([
    [{}, { codec: 'hevc' }, ['codec h264 -> hevc']],
    [{ bitrate: 5_000_000 }, { bitrate: 800_000 }, ['bitrate 5 Mb/s -> 800 kb/s']],
    [{ preset: 'fast' }, { preset: 'slow' }, ['preset fast -> slow']],
    [{ max_bitrate: null }, { max_bitrate: 8_000_000 }, ['max_bitrate none -> 8 Mb/s']],
    [{ audio_channels: 'keep' }, { audio_channels: 'stereo' }, ['audio_channels keep -> stereo']],
    [{ audio_codec: 'aac' }, { audio_codec: 'copy' }, ['audio_codec aac -> copy']],
    [{ two_pass: false }, { two_pass: true }, ['two_pass false -> true']],
    [{ quality: 60 }, { quality: 70 }, ['quality 60 -> 70']],
    [{ bitrate: 5_000_000, two_pass: true }, { quality: 70 }, ['quality none -> 70']],
    [{ codec: 'h264' }, { codec: 'ffv1' }, ['codec h264 -> ffv1']],
    [box(1920, 1080), box(640, 360), ['size 1280x720 -> 640x360']],
    [
      { codec: 'h264', bitrate: 5_000_000 },
      { codec: 'hevc', bitrate: 4_000_000 },
      ['codec h264 -> hevc', 'bitrate 5 Mb/s -> 4 Mb/s'],
    ],
  ])('from %p to %p', (before, now, expected) => {
    expect(changes(before, now)).toEqual(expected)
  })
})

describe('what changes none is not:', () => {
  test.each<[Some, Some]>([
    [{}, {}],
    [box(1920, 1080), box(3840, 2160)],
    [{ verify: { decode: 'samples', metric: null } }, { verify: { decode: 'full', metric: null } }],
    [{ max_size_ratio: null }, { max_size_ratio: 0.9 }],
    [{ codec: 'av1' }, { codec: 'av1', two_pass: true }],
    [
      { quality: 60, bitrate: 1_000_000 },
      { quality: 60, bitrate: 2_000_000, two_pass: true },
    ],
    [
      { codec: 'prores', container: 'mov', bitrate: 1_000_000, preset: 'fast' },
      { codec: 'prores', container: 'mov', bitrate: 2_000_000, preset: 'slow', quality: 50 },
    ],
  ])('from %p to %p', (before, now) => {
    expect(changes(before, now)).toEqual([])
  })
})

test('of a source that is not known the box counts', () => {
  expect(changes(box(1920, 1080), box(3840, 2160), null)).toEqual(['size 1920x1080 -> 3840x2160'])
})

test('the bound of sizes counts for itself', () => {
  expect(sizeBoundChange(settings({ max_size_ratio: 0.9 }), settings())).toEqual(['max_size_ratio 0.9 -> none'])
  expect(sizeBoundChange(settings(), settings())).toEqual([])
})
