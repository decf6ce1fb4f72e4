import { describe, expect, test } from 'bun:test'
import type { ConversionSettings } from '../../../../src/contract/conversion.ts'
import { planAudio } from '../../../../src/pipeline/plan/sound/audio.ts'
import type { AudioStream } from '../../../../src/pipeline/probe/media-info.ts'
import { audio, media, settings, video } from '../../samples.ts'

test('every track is encoded, in its order', () => {
  const source = media([video(), audio({ codec: 'mp3' }), audio({ index: 2, codec: 'ac3' })])
  expect(planAudio(source, settings())).toMatchObject({
    tracks: [1, 2].map((index) => ({
      stream_index: index,
      encoder: 'aac',
      codec: 'aac',
      bitrate: 128_000,
      decode: index === 2 ? ['-drc_scale:2', '0'] : [],
      filters: [],
      sample_rate: null,
    })),
    notes: [],
  })
})

test.each([
  ['mp4', 'ac3', 'copy'],
  ['mp4', 'opus', 'copy'],
  ['mp4', 'vorbis', 'aac'],
  ['mp4', 'pcm_s16le', 'aac'],
  // FFmpeg reads it back as mp3.
  ['mp4', 'mp2', 'aac'],
  ['mkv', 'vorbis', 'copy'],
  ['mkv', 'pcm_s24le', 'copy'],
  ['mkv', 'pcm_mulaw', 'aac'],
  ['webm', 'vorbis', 'copy'],
  ['webm', 'aac', 'libopus'],
] as const)('copying into %s, %s is taken by %s', (container, codec, encoder) => {
  const { tracks, notes } = planAudio(media([audio({ codec })]), settings({ audio_codec: 'copy', container }))
  expect(tracks.map((track) => track.encoder)).toEqual([encoder])
  const note = `audio track 1 was encoded again: ${container} does not hold ${codec}`
  expect(notes).toEqual(encoder === 'copy' ? [] : [note])
})

test('a copy changes nothing of the track', () => {
  const source = media([audio({ codec: 'ac3', channels: 6, channel_layout: '5.1(side)', sample_rate: 96_000 })])
  expect(planAudio(source, settings({ audio_codec: 'copy' })).tracks).toEqual([
    {
      stream_index: 1,
      encoder: 'copy',
      codec: 'ac3',
      decode: [],
      bitrate: null,
      channels: 6,
      filters: [],
      sample_rate: null,
    },
  ])
})

function rateOf(channels: number, channel_layout: string) {
  return planAudio(media([audio({ codec: 'flac', channels, channel_layout })]), settings()).tracks[0]?.bitrate
}

test('a track with more channels than stereo gets as much more', () => {
  expect([rateOf(1, 'mono'), rateOf(2, 'stereo'), rateOf(6, '5.1'), rateOf(8, '7.1')]).toEqual([
    128_000, 128_000, 384_000, 512_000,
  ])
  expect(
    [380_000, 500_000].map((bit_rate) => decided({ channels: 6, channel_layout: '5.1', bit_rate })?.action),
  ).toEqual(['copy', 'encode'])
})

test('of three channels without a layout none is taken for the bass', () => {
  const { tracks } = planAudio(media([audio({ codec: 'pcm_s16le', channels: 3, channel_layout: null })]), settings())
  expect(tracks).toMatchObject([{ channels: 3, filters: ['pan=3.0|c0=c0|c1=c1|c2=c2'] }])
})

test('more channels than eight are mixed to 7.1, which is told', () => {
  const source = media([audio({ codec: 'flac', channels: 16, channel_layout: 'hexadecagonal' })])
  const { tracks, notes } = planAudio(source, settings())
  expect(tracks[0]?.filters[1]).toStartWith('pan=7.1|')
  expect(notes).toEqual(['audio track 1 was mixed from hexadecagonal to 7.1'])
})

test('of more channels than eight whose layout nobody knows the first eight are kept, which is told', () => {
  const { tracks, notes } = planAudio(media([audio({ codec: 'flac', channels: 12, channel_layout: null })]), settings())
  expect(tracks[0]?.filters).toEqual(['pan=7.1|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5|c6=c6|c7=c7'])
  expect(notes).toEqual(['audio track 1 was reduced to its first 8 of 12 channels, whose layout is not known'])
})

/** What becomes of one track. */
function decided(source: Partial<AudioStream>, wanted: Partial<ConversionSettings> = {}, formats = ['mov']) {
  return planAudio(media([audio(source)], { formats }), settings(wanted)).decisions.get(1)
}

describe('a track that is already in the wanted codec', () => {
  test('is copied at no more than the wanted bit rate, and a little', () => {
    const copied = { action: 'copy', to: 'aac', reason: 'already aac at no more than 128k' } as const
    expect(decided({ bit_rate: 96_000 })).toEqual(copied)
    expect(decided({ bit_rate: 131_000 })).toEqual(copied)
    expect(decided({ codec: 'opus', bit_rate: 96_000 }, { audio_codec: 'opus' })).toMatchObject({ action: 'copy' })
  })

  test.each([
    [{ bit_rate: 192_000 }, {}, 'at 192k, more than 128k'],
    [{ bit_rate: null }, {}, 'of a bit rate that the file does not tell'],
    [{ bit_rate: 96_000, profile: 'Main' }, {}, 'in its rare form Main'],
  ] as const)('is encoded again with %p', (source, wanted, reason) => {
    expect(decided(source, wanted)).toEqual({ action: 'encode', to: 'aac', reason: `already aac, but ${reason}` })
  })

  test('is encoded again where it comes from a broadcast, or has more channels than are wanted', () => {
    expect(decided({ bit_rate: 96_000 }, {}, ['mpegts'])).toMatchObject({ action: 'encode' })
    const surround = { bit_rate: 96_000, channels: 6, channel_layout: '5.1' }
    expect(decided(surround, { audio_channels: 'stereo' })).toEqual({
      action: 'encode',
      to: 'aac',
      reason: 'audio_channels is stereo; mixed from 5.1 to stereo, without the bass channel',
    })
    expect(decided(surround, { audio_channels: '5.1' })).toMatchObject({ action: 'copy' })
  })
})

test('samples in big endian, which mkv does not hold, only change their order for a copy', () => {
  const wanted = settings({ audio_codec: 'copy', container: 'mkv' })
  const { tracks, decisions, notes } = planAudio(media([audio({ codec: 'pcm_s24be' })]), wanted)
  expect(tracks).toMatchObject([{ encoder: 'pcm_s24le', codec: 'pcm_s24le', bitrate: null }])
  expect(decisions.get(1)?.reason).toBe('mkv does not hold pcm_s24be; no sample is changed')
  expect(notes).toEqual([])
})

test('opus gets no more than it takes for a channel', () => {
  const { tracks } = planAudio(
    media([audio({ channels: 1 })]),
    settings({ audio_codec: 'opus', audio_bitrate: 320_000 }),
  )
  expect(tracks).toMatchObject([{ bitrate: 256_000 }])
})

test.each([
  [192_000, 48_000, 48_000],
  [48_000, null, null],
  [44_100, null, 48_000],
  [37_800, 44_100, 48_000],
  [22_050, null, 24_000],
  [11_025, null, 12_000],
  [8000, null, null],
  [5512, 8000, 8000],
])('%i Hz become %p in aac and %p in opus; null is the same', (sample_rate, aac, opus) => {
  const rateIn = (audio_codec: 'aac' | 'opus') =>
    planAudio(media([audio({ codec: 'flac', sample_rate })]), settings({ audio_codec })).tracks[0]?.sample_rate
  expect([rateIn('aac'), rateIn('opus')]).toEqual([aac, opus])
})

test('aac gets no more bits than it has room for at a low rate', () => {
  const source = media([audio({ codec: 'pcm_s16le', channels: 1, channel_layout: 'mono', sample_rate: 8000 })])
  expect(planAudio(source, settings()).tracks).toMatchObject([{ bitrate: 48_000 }])
})

test('a track that no decoder knows is dropped, which is told', () => {
  const source = media([audio({ codec: 'unknown', channels: 0 }), audio({ index: 2 })])
  expect(planAudio(source, settings())).toMatchObject({
    tracks: [{ stream_index: 2 }],
    notes: ['audio track 1 was dropped: its codec is not known'],
  })
})
