import { expect, test } from 'bun:test'
import { sourceFacts } from '../../../src/pipeline/probe/source-facts.ts'
import { audio, caught, media, video } from '../samples.ts'

const untagged = { range: null, primaries: null, transfer: null, matrix: null }
const isHdr = (transfer: string | null, primaries: string | null = null) =>
  factsOf({ color: { ...untagged, transfer, primaries } }).is_hdr
const factsOf = (changes: Parameters<typeof video>[0]) => sourceFacts(media([video(changes), audio()]))

test('a file is told by its main film, its whole length and rate, and the first name of its format', () => {
  const cover = video({ index: 0, is_cover: true, codec: 'mjpeg', width: 6000, height: 6000 })
  const extra = video({ index: 1, is_default: false, codec: 'h264' })
  const film = video({ index: 2, codec: 'hevc', width: 1280, height: 720 })
  const info = media([cover, extra, film, audio()], { size_bytes: 1_000_000, duration_seconds: 60 })
  expect(sourceFacts(info)).toEqual({
    codec: 'hevc',
    width: 1280,
    height: 720,
    is_hdr: false,
    bit_rate: 133_333,
    duration_seconds: 60,
    format: 'matroska',
  })
})

test('its size is that of the picture as shown: upright, and in square pixels', () => {
  expect(factsOf({ width: 720, height: 576, sample_aspect: 64 / 45 })).toMatchObject({ width: 1024, height: 576 })
  for (const [rotation, width, height] of [
    [0, 1024, 576],
    [90, 576, 1024],
    [180, 1024, 576],
    [270, 576, 1024],
  ] as const) {
    const shown = factsOf({ width: 720, height: 576, sample_aspect: 64 / 45, rotation })
    expect(shown).toMatchObject({ width, height })
  }
})

test('it is HDR by its transfer alone: PQ or HLG, whatever its depth and primaries', () => {
  expect([isHdr('smpte2084'), isHdr('arib-std-b67'), isHdr('smpte2084', 'bt709')]).toEqual([true, true, true])
  expect([isHdr(null), isHdr('bt709'), isHdr('bt2020-10', 'bt2020')]).toEqual([false, false, false])
})

test('what is not known is null, or empty', () => {
  expect(sourceFacts(media([video()], { duration_seconds: null }))).toMatchObject({
    bit_rate: null,
    duration_seconds: null,
  })
  for (const guessed of ['h264', 'hevc', 'gif']) {
    const facts = sourceFacts(media([video()], { formats: [guessed] }))
    expect(facts).toMatchObject({ format: guessed, bit_rate: null, duration_seconds: null })
  }
  expect(sourceFacts(media([video()], { size_bytes: 0 }))).toMatchObject({ bit_rate: null, duration_seconds: 60 })
  expect(sourceFacts(media([video()], { formats: [] })).format).toBe('')
})

test('a file without a film has no facts', async () => {
  expect(await caught(Promise.resolve().then(() => sourceFacts(media([audio()]))))).toMatchObject({
    message: 'no video stream',
  })
})
