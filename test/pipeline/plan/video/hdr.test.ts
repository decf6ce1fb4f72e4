import { describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { planConversion } from '../../../../src/pipeline/plan.ts'
import { planColour } from '../../../../src/pipeline/plan/video/colour.ts'
import { cpuFilterLack } from '../../../../src/pipeline/plan/video/cpu-filter-lack.ts'
import { readHdrMetadata } from '../../../../src/pipeline/probe/hdr-metadata.ts'
import { findTools } from '../../../../src/pipeline/tools.ts'
import { colourProblems } from '../../../../src/pipeline/verify/check-colour.ts'
import { script } from '../../prove/samples.ts'
import { media, settings, video } from '../../samples.ts'

const pq = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
const dolby = (profile: number, compatibility: number) => ({
  mastering: null,
  light: null,
  dolby_vision: { profile, compatibility },
  has_hdr10_plus: false,
})
const hdr10 = video({ codec: 'hevc', bit_depth: 10, pixel_format: 'yuv420p10le', color: pq })

describe('Dolby Vision', () => {
  test.each([
    [5, 0],
    [10, 0],
    [8, 0],
  ])('of profile %i and compatibility %i is refused for good: nothing in it is for other decoders', (profile, base) => {
    const source = media([{ ...hdr10, hdr: dolby(profile, base) }])
    expect(() => planConversion(source, settings({ codec: 'hevc' }))).toThrow(
      `Dolby Vision profile ${profile} has no picture for other decoders in it`,
    )
  })

  test.each([
    [8, 1, pq, 'HDR10'],
    [7, 0, pq, 'HDR10'],
    [8, 4, { ...pq, transfer: 'arib-std-b67' }, 'HLG'],
    [9, 2, { ...pq, primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }, 'SDR'],
  ])('of profile %i and compatibility %i becomes its base', (profile, compatibility, color, base) => {
    const source = media([{ ...hdr10, color, hdr: dolby(profile, compatibility) }])
    const { notes, video: planned } = planConversion(source, settings({ codec: 'hevc' }))
    expect(notes).toEqual([`Dolby Vision metadata was dropped; the ${base} base stays`])
    // Newer libx265 would write it of its own accord.
    expect(planned.filters.at(-1)).toBe('sidedata=mode=delete')
  })
})

test('HDR10+ is dropped with a note, and its HDR10 stays', () => {
  const hdr = readHdrMetadata([{ side_data_type: 'HDR Dynamic Metadata SMPTE2094-40 (HDR10+)' }])
  const source = media([{ ...hdr10, hdr }])
  const { notes } = planConversion(source, settings({ codec: 'av1' }))
  expect(notes).toEqual(['HDR10+ metadata was dropped; the HDR10 base stays'])
})

const made = (width: number, height: number, box: { width: number; height: number }, color = video().color) =>
  planColour(video({ width, height, color }), 'h264', box).result

describe('a picture without tags', () => {
  const none = { range: null, primaries: null, transfer: null, matrix: null }
  const bt709 = { range: null, primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }

  test('stays without them as long as players take it for the same', () => {
    expect(made(1920, 1080, { width: 1280, height: 720 })).toEqual(none)
    expect(made(720, 576, { width: 640, height: 480 })).toEqual(none)
  })

  test('is tagged as what it was taken for where they would change their mind', () => {
    expect(made(1920, 1080, { width: 1024, height: 576 })).toEqual(bt709)
    expect(made(1280, 534, { width: 640, height: 266 })).toEqual(bt709)
    expect(made(1920, 1080, { width: 1152, height: 648 })).toEqual(bt709)
  })

  test('but for one keeps that one, and the others follow it', () => {
    const half = { ...none, matrix: 'smpte170m' }
    expect(made(1920, 1080, { width: 640, height: 360 }, half)).toEqual({
      range: null,
      primaries: 'smpte170m',
      transfer: 'smpte170m',
      matrix: 'smpte170m',
    })
  })
})

describe('a result that shows other colours than planned', () => {
  const light = { max_content: 1000, max_average: 400 }
  const expected = { tags: pq, mastering: null, light }
  const hdr = { mastering: null, light, dolby_vision: null, has_hdr10_plus: false }

  test('is refused by what is wrong', () => {
    expect(colourProblems(expected, { ...hdr10, hdr })).toEqual([])
    expect(colourProblems(expected, { ...hdr10, hdr: null })).toEqual([
      'the result says nothing of the light of the HDR film',
    ])
    expect(colourProblems(expected, { ...hdr10, hdr, color: { ...pq, transfer: 'bt709', matrix: null } })).toEqual([
      "the result's colour transfer is tagged bt709, not smpte2084",
      "the result's colour matrix is tagged not at all, not bt2020nc",
    ])
  })
})

test('an ffmpeg without zscale is told with its remedy, and only where tone mapping is wanted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-filters-'))
  try {
    const path = script(join(folder, 'ffmpeg'), ['ffmpeg "$@" | grep -v " zscale "'])
    script(join(folder, 'ffprobe'), ['exec ffprobe "$@"'])
    const request = { environment: process.env, signal: new AbortController().signal }
    const tools = await findTools({ ffmpeg_path: path, ...request })
    const size = { width: 1280, height: 720 }
    const lack = await cpuFilterLack(planColour(hdr10, 'h264', size), { tools, ...request })
    expect(lack?.message).toContain('has no zscale; set ffmpeg.path to one with libzimg, or convert to hevc or av1')
    expect(lack?.report).toMatchObject({ class: 'worker', step: 'plan' })
    expect(await cpuFilterLack(planColour(hdr10, 'hevc', size), { tools, ...request })).toBeNull()
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
