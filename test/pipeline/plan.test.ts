import { describe, expect, test } from 'bun:test'
import { planConversion } from '../../src/pipeline/plan.ts'
import type { VideoStream } from '../../src/pipeline/probe/media-info.ts'
import { attachment, audio, data, media, settings, subtitle, video } from './samples.ts'

function filtersOf(source: Partial<VideoStream>, codec: 'h264' | 'hevc' | 'av1' | 'vp9' = 'h264') {
  return planConversion(media([video(source)]), settings({ codec })).video.filters
}

function frameCount(source: Partial<VideoStream>) {
  return planConversion(media([video(source)], { formats: ['mov', 'mp4'] }), settings()).expected.frame_count
}

describe('the filters', () => {
  test('scale to the frame, in square pixels and 8 bits', () => {
    expect(filtersOf({})).toEqual(['scale=w=1920:h=1080', 'setsar=1', 'format=yuv420p'])
  })

  test('deinterlace first, and only where the source says so', () => {
    expect(filtersOf({ is_interlaced: true })[0]).toBe('bwdif=mode=send_frame:parity=auto:deint=interlaced')
  })

  test.each([
    ['h264', 'format=yuv420p'],
    ['vp9', 'format=yuv420p'],
    ['hevc', 'format=yuv420p10le'],
    ['av1', 'format=yuv420p10le'],
  ] as const)('bring 10 bits to what %s is usually played in', (codec, format) => {
    expect(filtersOf({ bit_depth: 10, pixel_format: 'yuv422p10le' }, codec)).toContain(format)
  })

  test('bring full range to limited and say so', () => {
    const expected = ['scale=w=1920:h=1080:out_range=tv', 'setsar=1', 'format=yuv420p', 'setparams=range=tv']
    expect(filtersOf({ pixel_format: 'yuvj420p', color: { ...video().color, range: 'pc' } })).toEqual(expected)
  })

  test('bring RGB to BT.709 and say so', () => {
    expect(filtersOf({ pixel_format: 'bgra' })).toEqual([
      'scale=w=1920:h=1080:out_color_matrix=bt709:out_range=tv',
      'setsar=1',
      'format=yuv420p',
      'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709',
    ])
  })
})

test('an encoder is told the average rate only where the nominal one is a fine grid', () => {
  const rates = [
    [29.97, 30],
    [29.5, 1000],
    [10, 30],
  ] as const
  const hints = rates.map(([average_rate, nominal_rate]) => {
    const source = media([video({ average_rate, nominal_rate })])
    return planConversion(source, settings()).video.encoding.rate_hint
  })
  expect(hints).toEqual([null, 29.5, 10])
})

test.each([
  ['av1', 'av1 needs at least 64 x 64 pixels, and this picture is 14 x 14'],
  ['hevc', 'hevc needs at least 16 x 16 pixels, and this picture is 14 x 14'],
] as const)('%s refuses a picture that its encoder cannot take, for good', (codec, message) => {
  const source = media([video({ width: 14, height: 14 })])
  expect(() => planConversion(source, settings({ codec }))).toThrow(message)
})

test('each stream has its decision, in the order of the source', () => {
  const source = media([audio({ index: 0, language: 'deu' }), video({ index: 1 }), data({ index: 2 })])
  expect(planConversion(source, settings({ codec: 'hevc', audio_codec: 'opus' })).streams).toMatchObject([
    { index: 0, kind: 'audio', codec: 'aac', language: 'deu', action: 'encode', to: 'opus' },
    { index: 1, kind: 'video', codec: 'h264', language: null, action: 'encode', to: 'hevc', reason: 'the film' },
    { index: 2, kind: 'data', action: 'drop', to: null },
  ])
})

test('all that is dropped is told, a sentence each', () => {
  const source = media(
    [
      [video(), audio(), video({ index: 2, is_default: false }), video({ index: 3, is_cover: true, codec: 'webp' })],
      [subtitle({ index: 4, codec: 'hdmv_pgs_subtitle' }), subtitle({ index: 5, codec: 'hdmv_pgs_subtitle' })],
      [attachment({ index: 6 }), data({ index: 7 }), data({ index: 8, kind: 'unknown' })],
    ].flat(),
  )
  expect(planConversion(source, settings()).notes).toEqual([
    '1 other video track was dropped: only the main one is converted',
    '1 cover picture was dropped: mp4 holds no webp as cover art',
    '2 subtitle tracks were dropped: mp4 holds no picture subtitles',
    '1 attachment was dropped: mp4 holds no attachments',
    '1 data track was dropped: data of the kind data',
    '1 data track was dropped: of a kind that is not known',
  ])
})

test('what 8 bits do to HDR, and 4:2:0 to transparency, is told', () => {
  const hdr = video({ bit_depth: 10, color: { ...video().color, transfer: 'smpte2084' }, has_alpha: true })
  const notes = (codec: 'h264' | 'hevc') => planConversion(media([hdr]), settings({ codec })).notes
  expect(notes('h264')).toEqual(['transparency was dropped', 'HDR was tone-mapped to SDR by zscale'])
  expect(notes('hevc')).toEqual(['transparency was dropped'])
})

describe('what is expected of the result', () => {
  test('is the frame, the codecs, and the lengths of picture and file', () => {
    const source = media([video({ duration_seconds: 59 }), audio({ duration_seconds: 60 })])
    expect(planConversion(source, settings({ audio_codec: 'opus' })).expected).toEqual({
      width: 1920,
      height: 1080,
      video_codec: 'h264',
      audio: [{ codec: 'opus', language: null, channels: 2, seconds: 60, delay_seconds: 0 }],
      subtitles: [],
      extras: 0,
      chapters: 0,
      video_seconds: 59,
      file_seconds: 60,
      frame_count: null,
      colour: null,
    })
  })

  test('is no length where ffprobe only guesses it from the bit rate', () => {
    const { expected } = planConversion(media([video()], { formats: ['h264'] }), settings())
    expect(expected).toMatchObject({ video_seconds: null, file_seconds: null })
  })

  test("is a mov's own count of frames, less what its edit list hides", () => {
    expect(frameCount({ frame_count: 1500 })).toBe(1500)
    expect(frameCount({ frame_count: 1500, duration_seconds: 40 })).toBe(1000)
    expect(frameCount({ frame_count: null })).toBeNull()
  })
})
