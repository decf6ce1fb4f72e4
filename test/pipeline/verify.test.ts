import { describe, expect, test } from 'bun:test'
import type { ExpectedResult } from '../../src/pipeline/plan.ts'
import type { AudioStream, VideoStream } from '../../src/pipeline/probe/media-info.ts'
import { problemsOf } from '../../src/pipeline/verify.ts'
import { audio, media, subtitle, video } from './samples.ts'

const expected: ExpectedResult = {
  width: 1920,
  height: 1080,
  video_codec: 'h264',
  audio: [{ codec: 'aac', language: null, channels: 2, seconds: 60, delay_seconds: 0 }],
  subtitles: [],
  extras: 0,
  chapters: 0,
  video_seconds: 60,
  file_seconds: 60,
  frame_count: null,
  colour: null,
}

function result(changes: Partial<VideoStream> = {}) {
  return media([video({ frame_count: 1500, ...changes }), audio()])
}

/** Sentences by whose fault it is. */
function problems(want: Partial<ExpectedResult>, got = result(), encoded: number | null = 1500) {
  return problemsOf({ ...expected, ...want }, encoded, got).map((problem) => [
    problem.is_in_source ? 'source' : 'ours',
    problem.message,
  ])
}

test('a result as planned has no problem', () => {
  expect(problems({})).toEqual([])
})

function sounding(changes: Partial<AudioStream>) {
  return media([video({ frame_count: 1500 }), audio(changes)])
}

describe('each track of sound', () => {
  test('is as long as the source says, and a little shorter', () => {
    expect(problems({}, sounding({ duration_seconds: 59.1 }))).toEqual([])
    expect(problems({}, sounding({ duration_seconds: 24 }))).toEqual([
      ['ours', "the result's sound: track 1 ends at 0:24 of 1:00"],
    ])
  })

  test('has all of its channels', () => {
    expect(problems({}, sounding({ channels: 1 }))).toEqual([
      ['ours', "the result's sound: track 1 has 1 channels, not 2"],
    ])
  })

  test('begins where it did', () => {
    expect(problems({}, sounding({ start_seconds: 0.3 }))).toEqual([])
    expect(problems({}, sounding({ start_seconds: 2 }))).toEqual([
      ['ours', "the result's sound: track 1 begins 2.0 s off"],
    ])
  })

  test('is not measured where the source does not tell', () => {
    const silent = [{ codec: 'aac', language: null, channels: 2, seconds: null, delay_seconds: null }]
    expect(problems({ audio: silent }, sounding({ duration_seconds: 1, start_seconds: 9 }))).toEqual([])
  })
})

describe('streams', () => {
  test('a result without a picture is none', () => {
    expect(problems({}, media([audio()]))).toEqual([['ours', 'the result has no video stream']])
  })

  test('codec, size and sound must be those planned', () => {
    expect(problems({}, media([video({ codec: 'hevc', width: 1280, height: 720, frame_count: 1500 })]))).toEqual([
      ['ours', 'the result is hevc, not h264'],
      ['ours', 'the result is 1280 x 720, not 1920 x 1080'],
      ['ours', "the result's sound: none, not aac"],
    ])
  })
})

describe('tracks beside the picture', () => {
  const whole = () =>
    media([video({ frame_count: 1500 }), audio(), subtitle({ codec: 'mov_text', language: 'eng' }), cover], {
      chapter_count: 3,
    })
  const cover = video({ index: 3, is_cover: true, codec: 'mjpeg' })
  const want = { subtitles: [{ codec: 'mov_text', language: 'en' }], extras: 1, chapters: 3 }

  test('are good where all are there, a language by whichever name', () => {
    expect(problems(want, whole())).toEqual([])
  })

  test.each([
    [0, 'the result has no video stream'],
    [1, "the result's sound: none, not aac"],
    [2, "the result's subtitles: none, not mov_text"],
    [3, 'the result has 0 covers and attachments, not 1'],
  ])('stream %i must not be missing', (missing, sentence) => {
    const { streams } = whole()
    const left = { ...whole(), streams: streams.filter((_, position) => position !== missing) }
    expect(problems(want, left)).toContainEqual(['ours', sentence])
  })

  test('are not good in another language, or without chapters', () => {
    const german = [{ codec: 'mov_text', language: 'deu' }]
    expect(problems({ ...want, subtitles: german }, whole())).toEqual([
      ['ours', "the result's subtitles: track 1 is eng, not deu"],
    ])
    expect(problems(want, { ...whole(), chapter_count: 0 })).toEqual([['ours', 'the result has 0 chapters, not 3']])
  })
})

describe('length', () => {
  test('a picture that ends early is a truncated source', () => {
    expect(problems({}, result({ duration_seconds: 38 }))).toEqual([['source', 'truncated: ends at 0:38 of 1:00']])
  })

  test('half a second, or one in a hundred, may be missing', () => {
    expect(problems({ video_seconds: 3 }, result({ duration_seconds: 2.6 }))).toEqual([])
    expect(problems({ video_seconds: 60.5 }, result())).toEqual([])
  })

  test('three seconds is the most that may be missing of a long film', () => {
    expect(problems({ video_seconds: 7200 }, result({ duration_seconds: 7197.5 }))).toEqual([])
    expect(problems({ video_seconds: 7200 }, result({ duration_seconds: 7196 }))).toHaveLength(1)
  })

  test("sound that outlasts the picture does not count, where the picture's own length is known", () => {
    expect(problems({ video_seconds: 60, file_seconds: 180 })).toEqual([])
  })

  test("the file's length counts where the picture's is not known", () => {
    expect(problems({ video_seconds: null, file_seconds: 90 })).toEqual([['source', 'truncated: ends at 1:00 of 1:30']])
  })

  test('a source that tells no length is not compared', () => {
    expect(problems({ video_seconds: null, file_seconds: null }, result({ duration_seconds: 2 }))).toEqual([])
  })

  test('a last frame may be shown longer, but a result of twice the length is wrong', () => {
    expect(problems({ video_seconds: 55 })).toEqual([])
    expect(problems({ video_seconds: 30 })).toEqual([['ours', 'the result is 1:00 long, the source 0:30']])
  })
})

describe('frames', () => {
  test('what was encoded must be in the file', () => {
    expect(problems({}, result(), 1501)).toEqual([['ours', 'the result has 1500 of 1501 encoded frames']])
  })

  test('no frame at all is a damaged source', () => {
    expect(problems({}, result({ frame_count: null }), null)).toEqual([['source', 'no frame could be decoded']])
  })

  test('frames that the source counts and nobody saw are damage, but for two or one in a hundred', () => {
    expect(problems({ frame_count: 1515 })).toEqual([])
    expect(problems({ frame_count: 1600 })).toEqual([['source', 'damaged: only 1500 of 1600 frames could be decoded']])
  })
})
