import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { layoutChannels } from '../../src/pipeline/plan/sound/channel-layouts.ts'
import { mixChannels } from '../../src/pipeline/plan/sound/mix-channels.ts'
import type { AudioStream } from '../../src/pipeline/probe/media-info.ts'
import { testFfmpegs } from '../support/ffmpegs.ts'
import { type ConvertedStreams, picture, useStreamStudio, x264 } from '../support/stream-clips.ts'

setDefaultTimeout(120_000)
const studio = useStreamStudio()

/** All of FFmpeg's layouts of up to eight channels. */
const layouts = [
  ['mono', 'stereo', '2.1', '3.0', '3.0(back)', '4.0', 'quad', 'quad(side)', '3.1', '5.0', '5.0(side)', '4.1', '5.1'],
  ['5.1(side)', '6.0', '6.0(front)', 'hexagonal', '6.1', '6.1(back)', '6.1(front)', '7.0', '7.0(front)', '7.1'],
  ['7.1(wide)', '7.1(wide-side)', 'octagonal', 'downmix'],
].flat()

/** A tone for each channel, the first the loudest; low ones, since the bass channel has no others. */
const amplitude = (channel: number) => 0.12 * 0.85 ** channel
const tone = (channel: number) => `${amplitude(channel)}*sin(2*PI*${50 + 5 * channel}*t)`

/** A track of a second in a layout. */
function sound(layout: string): string[] {
  const count = layoutChannels(layout)?.length ?? 0
  const tones = Array.from({ length: count }, (_, channel) => tone(channel))
  return ['-f', 'lavfi', '-i', `aevalsrc=${tones.join('|')}:c=${layout}:s=48000:d=1`]
}

/** Decibels that a channel of the result must have, by what it is made of. */
function level(parts: { from: string; share: number }[], source: readonly string[]): number {
  const power = parts.map(({ from, share }) => (share * amplitude(source.indexOf(from))) ** 2 / 2)
  return 10 * Math.log10(power.reduce((sum, each) => sum + each, 0))
}

let source: string
beforeAll(async () => {
  const inputs = layouts.flatMap(sound)
  const maps = layouts.flatMap((_, track) => ['-map', `${track + 1}`])
  source = await studio.make('layouts.mkv', [...picture, ...inputs, '-map', '0', ...maps, ...x264, '-c:a', 'flac'])
})

const targets = {
  aac: ['mono', 'stereo', '3.0', '4.0', '5.0', '5.1', '7.1'],
  opus: ['mono', 'stereo', '3.0', 'quad', '5.1', '7.1'],
}
const wanted = { audio_bitrate: 600_000, container: 'mkv' } as const

describe.each(testFfmpegs)('the sound of every layout by %s', (_, program) => {
  test.each(['aac', 'opus'] as const)('is all there in %s, each channel as loud as it was', async (audio_codec) => {
    const result = await studio.convert(program, source, { ...wanted, audio_codec })
    await expectMixes(result, targets[audio_codec])
  })

  test('is mixed to stereo as loud as its parts', async () => {
    const result = await studio.convert(program, source, { ...wanted, audio_channels: 'stereo' })
    await expectMixes(result, ['mono', 'stereo'])
    expect(result.notes).toContain('audio track 14 was mixed from 5.1(side) to stereo, without the bass channel')
  })
})

describe.each(testFfmpegs)('sound by %s', (_, program) => {
  test('of twelve channels that nobody can name keeps the first eight as they were', async () => {
    const tones = Array.from({ length: 12 }, (_each, channel) => tone(channel)).join('|')
    const twelve = await studio.make('twelve.mkv', [
      ...picture,
      '-f',
      'lavfi',
      '-i',
      `aevalsrc=${tones}:s=48000:d=1`,
      ...x264,
      '-c:a',
      'pcm_s16le',
    ])
    const { path, notes } = await studio.convert(program, twelve, wanted)
    const levels = await studio.levels(path, 0)
    expect(
      levels.map((found, channel) => Math.abs(found - level([{ from: 'x', share: 1 }], unnamed(channel))) < 0.7),
    ).toEqual(Array.from({ length: 8 }, () => true))
    expect(notes).toEqual(['audio track 1 was reduced to its first 8 of 12 channels, whose layout is not known'])
  })

  test('at full scale is mixed without a peak that is cut off, and without a delay', async () => {
    const loud = Array.from({ length: 6 }, () => '0.99*between(t,0.5,0.6)*sin(2*PI*440*t)').join('|')
    const source = await studio.make('loud.mkv', [
      ...picture,
      '-f',
      'lavfi',
      '-i',
      `aevalsrc='${loud}':c=5.1:s=48000:d=1`,
      ...x264,
      '-c:a',
      'pcm_s16le',
    ])
    const mp4 = await studio.convert(program, source, { audio_channels: 'stereo' })
    const { peak, starts } = await studio.loudness(mp4.path)
    expect(peak).toBeLessThan(0.1)
    expect(peak).toBeGreaterThan(-1.5)
    expect(Math.abs(starts - 0.5)).toBeLessThan(0.005)
  })
})

/** Channels without names, of which one is called x. */
function unnamed(channel: number): string[] {
  return Array.from({ length: 12 }, (_, each) => (each === channel ? 'x' : ''))
}

async function expectMixes({ path, info }: ConvertedStreams, into: string[]): Promise<void> {
  const tracks = info.streams.filter((stream): stream is AudioStream => stream.kind === 'audio')
  expect(tracks).toHaveLength(layouts.length)
  for (const [track, layout] of layouts.entries()) {
    const channels = layoutChannels(layout) ?? []
    const mix = mixChannels(channels, into)
    const names = layoutChannels(mix.layout) ?? []
    expect([layout, tracks[track]?.channel_layout]).toEqual([layout, mix.layout])
    const levels = await studio.levels(path, track)
    const off = names.filter((name, channel) => {
      const made = mix.channels.find((each) => each.name === name)
      const found = levels[channel] ?? Number.NaN
      return made === undefined ? found > -60 : Math.abs(found - level(made.parts, channels)) > 0.7
    })
    expect([layout, off, levels]).toEqual([layout, [], levels])
  }
}
