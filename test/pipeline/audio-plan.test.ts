import { expect, test } from 'bun:test'
import { planAudio } from '../../src/pipeline/audio-plan.ts'
import { audio, media, settings, video } from './samples.ts'

test('every track is encoded, in its order', () => {
  const source = media([video(), audio(), audio({ index: 2, codec: 'ac3' })])
  expect(planAudio(source, settings())).toMatchObject({
    tracks: [1, 2].map((index) => ({
      stream_index: index,
      encoder: 'aac',
      codec: 'aac',
      bitrate: 128_000,
      channel_layout: null,
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
  ['mkv', 'pcm_s16be', 'aac'],
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
    { stream_index: 1, encoder: 'copy', codec: 'ac3', bitrate: null, channel_layout: null, sample_rate: null },
  ])
})

test.each([
  [1, 'mono', null],
  [2, 'stereo', null],
  [2, 'downmix', 'stereo'],
  [6, '5.1', null],
  [6, '5.1(side)', '5.1'],
  [4, '4.0', 'quad'],
  [8, '7.1', null],
  [8, null, '7.1'],
] as const)('%i channels as %p become %p', (channels, layout, expected) => {
  const { tracks } = planAudio(media([audio({ channels, channel_layout: layout })]), settings({ audio_codec: 'opus' }))
  expect(tracks.map((track) => track.channel_layout)).toEqual([expected])
})

test('more channels than eight are mixed to 7.1, which is told', () => {
  const { tracks, notes } = planAudio(media([audio({ channels: 16, channel_layout: null })]), settings())
  expect(tracks).toMatchObject([{ channel_layout: '7.1' }])
  expect(notes).toEqual(['audio track 1 was mixed from 16 channels to 7.1'])
})

test('opus gets no more than it takes for a channel', () => {
  const { tracks } = planAudio(
    media([audio({ channels: 1 })]),
    settings({ audio_codec: 'opus', audio_bitrate: 320_000 }),
  )
  expect(tracks).toMatchObject([{ bitrate: 256_000 }])
})

test('sample rates above 48 kHz come down to it', () => {
  expect(planAudio(media([audio({ sample_rate: 192_000 })]), settings()).tracks).toMatchObject([
    { sample_rate: 48_000 },
  ])
})

test('a track that no decoder knows is dropped, which is told', () => {
  const source = media([audio({ codec: 'unknown', channels: 0 }), audio({ index: 2 })])
  expect(planAudio(source, settings())).toMatchObject({
    tracks: [{ stream_index: 2 }],
    notes: ['audio track 1 was dropped: its codec is not known'],
  })
})
