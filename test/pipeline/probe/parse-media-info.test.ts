import { describe, expect, test } from 'bun:test'
import { parseMediaInfo } from '../../../src/pipeline/probe/parse-media-info.ts'
import { data } from '../samples.ts'

function streamOf(stream: Record<string, unknown>) {
  const text = JSON.stringify({ streams: [{ index: 0, ...stream }], format: { format_name: 'mov,mp4' } })
  return parseMediaInfo(text).streams[0]
}

const film = { codec_type: 'video', codec_name: 'h264', width: 1920, height: 1080 }

test('numbers come as texts, and what is missing or N/A is null', () => {
  const format = { format_name: 'matroska,webm', duration: '3.024000', start_time: '-0.021', size: '1000' }
  expect(
    parseMediaInfo(JSON.stringify({ streams: [], chapters: [{ end_time: '1' }, { end_time: '3' }], format })),
  ).toEqual({
    formats: ['matroska', 'webm'],
    duration_seconds: 3.024,
    start_seconds: -0.021,
    size_bytes: 1000,
    chapter_count: 2,
    early_chapter_count: 0,
    tag_names: [],
    camera_tags: {},
    streams: [],
  })
  expect(parseMediaInfo('{"format":{"format_name":"h264","duration":"N/A"}}').duration_seconds).toBeNull()
})

test('what is not of ffprobe is refused', () => {
  expect(() => parseMediaInfo('{}')).toThrow()
  expect(() => parseMediaInfo('')).toThrow()
})

test.each([
  [-90, 90],
  [90, 270],
  [180, 180],
  [-180, 180],
  [270, 90],
  [0, 0],
  [-89.6, 90],
  [-360, 0],
])('a display matrix of %p degrees turns the picture by %p', (rotation, expected) => {
  const stream = streamOf({ ...film, side_data_list: [{ side_data_type: 'Other' }, { rotation }] })
  expect(stream).toMatchObject({ rotation: expected })
})

test.each([
  ['yuv420p', 8],
  ['yuv420p10le', 10],
  ['p010le', 10],
  ['yuva444p12le', 12],
  ['gray16be', 16],
  ['yuv422p', 8],
  ['rgb24', 8],
])('%s has %i bits', (pix_fmt, bit_depth) => {
  expect(streamOf({ ...film, pix_fmt })).toMatchObject({ bit_depth })
})

describe('a picture', () => {
  test('is interlaced only where a field order is told', () => {
    expect(streamOf({ ...film, field_order: 'tt' })).toMatchObject({ is_interlaced: true })
    expect(streamOf({ ...film, field_order: 'progressive' })).toMatchObject({ is_interlaced: false })
    expect(streamOf(film)).toMatchObject({ is_interlaced: false })
  })

  test('has square pixels unless told otherwise', () => {
    expect(streamOf({ ...film, sample_aspect_ratio: '64:45' })).toMatchObject({ sample_aspect: 64 / 45 })
    expect(streamOf({ ...film, sample_aspect_ratio: '0:1' })).toMatchObject({ sample_aspect: 1 })
  })

  test('keeps its tags of colour, of which unknown is none', () => {
    const tags = { color_range: 'tv', color_primaries: 'bt2020', color_transfer: 'unknown' }
    const color = { range: 'tv', primaries: 'bt2020', transfer: null, matrix: null }
    expect(streamOf({ ...film, ...tags })).toMatchObject({ color })
  })

  test('has rates and counts, or null', () => {
    const known = { avg_frame_rate: '30000/1001', r_frame_rate: '0/0', nb_frames: '72', time_base: '1/90000' }
    const expected = { time_base: '1:90000', average_rate: 30_000 / 1001, nominal_rate: null, frame_count: 72 }
    expect(streamOf({ ...film, ...known })).toMatchObject(expected)
  })

  test("has Matroska's length from a tag", () => {
    expect(streamOf({ ...film, tags: { DURATION: '01:00:03.500000000' } })).toMatchObject({ duration_seconds: 3603.5 })
  })
})

test('a stream of a kind that is not known is kept as such', () => {
  expect(streamOf({})).toEqual(data({ kind: 'unknown', index: 0, codec: 'unknown', codec_tag: '' }))
})
