import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { VideoCodec } from '../../src/contract/conversion.ts'
import type { HdrMetadata } from '../../src/pipeline/probe/hdr-metadata.ts'
import { colourProblems } from '../../src/pipeline/verify/check-colour.ts'
import { capability } from '../support/capability.ts'
import { ffmpegs, type Rgb, useColourStudio, writeHdrColumns } from '../support/colour-clips.ts'
import { required } from '../support/lavapipe.ts'
import { addLightBoxes } from '../support/light-boxes.ts'
import { lacks, vulkanFfmpeg } from '../support/vulkan.ts'
import { gpu, video } from './samples.ts'

setDefaultTimeout(60_000)
const studio = useColourStudio()

const display = 'master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50)'
const mastering = {
  red: [0.68, 0.32],
  green: [0.265, 0.69],
  blue: [0.15, 0.06],
  white: [0.3127, 0.329],
  min_luminance: 0.005,
  max_luminance: 1000,
} as const
const light = { max_content: 987, max_average: 321 }
const tags = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=256x144:rate=10:duration=0.5']
const bt2020 = 'format=yuv420p10le,setparams=range=limited:color_primaries=bt2020:colorspace=bt2020nc:color_trc'

/** What most encoders make: the film's screen and light in the stream, and nowhere else. */
async function hdr10(name = 'hdr10.mkv'): Promise<string> {
  const params = `log-level=none:${display}:max-cll=987,321`
  return studio.make(name, [...picture, '-vf', `${bt2020}=smpte2084`, ...x265(params)])
}

function x265(params: string): string[] {
  return ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', params]
}

describe.each(ffmpegs)('HDR10 by %s', (_, program) => {
  const kept: [VideoCodec, 'mp4' | 'mkv' | 'mov'][] = [
    ['hevc', 'mp4'],
    ['hevc', 'mkv'],
    ['hevc', 'mov'],
    ['av1', 'mp4'],
    ['av1', 'mkv'],
  ]
  test.each(kept)('stays HDR10 in %s and %s, with its screen and light', async (codec, container) => {
    const { video, notes } = await studio.convert(program, await hdr10(), { codec, container })
    expect(video).toMatchObject({ color: tags, pixel_format: 'yuv420p10le', hdr: { light } })
    expect(colourProblems({ tags, mastering, light }, video)).toEqual([])
    expect(notes).toEqual([])
  })

  test('keeps them from a source that has them in its container only', async () => {
    const inStream = await hdr10()
    const [newest] = ffmpegs.toReversed()
    const source = await studio.make('in-container.mkv', ['-i', inStream, '-c:v', 'ffv1'], newest?.[1])
    const { video } = await studio.convert(program, source, { codec: 'av1', container: 'mp4' })
    const isThere = ffmpegs.length > 1
    expect(
      colourProblems({ tags, ...(isThere ? { mastering, light } : { mastering: null, light: null }) }, video),
    ).toEqual([])
  })

  test.each(['prores', 'ffv1'] as const)('keeps its tags in %s', async (codec) => {
    const { video } = await studio.convert(program, await hdr10(), {
      codec,
      container: codec === 'ffv1' ? 'mkv' : 'mov',
    })
    expect(video.color).toEqual(tags)
  })

  test('stays what it is when the light is all that it tells', async () => {
    const args = [...picture, '-vf', `${bt2020}=smpte2084`, ...x265('log-level=none:hdr10=1:max-cll=0,321')]
    const source = await studio.make('light.ts', args)
    const { video } = await studio.convert(program, source, { codec: 'hevc', container: 'mp4' })
    expect(video.hdr).toMatchObject({ mastering: null, light: { max_content: 0, max_average: 321 } })
  })
})

describe.each(ffmpegs)('HLG by %s', (_, program) => {
  test.each(['hevc', 'av1'] as const)('stays HLG in %s', async (codec) => {
    const source = await studio.make('hlg.mkv', [
      ...picture,
      '-vf',
      `${bt2020}=arib-std-b67`,
      ...x265('log-level=none'),
    ])
    const { video } = await studio.convert(program, source, { codec, container: 'mp4' })
    expect(video).toMatchObject({ color: { ...tags, transfer: 'arib-std-b67' }, hdr: null })
  })
})

const grey = (light: number): Rgb => [light, light, light]
const colours: Rgb[] = [
  ...[0, 5, 20, 60, 100, 203, 400, 1000].map(grey),
  [60, 0, 0],
  [0, 60, 0],
  [0, 0, 60],
  [90, 45, 30],
]

/** How much red is in it. */
const spread = ([red, green]: Rgb) => red - green

/** What SDR shows as white is 203 cd/m², and its gamma 2.4 (ITU-R BT.2408, BT.1886). */
const sdr = (light: number) => 255 * (light / 203) ** (1 / 2.4)

async function hdrColumns(transfer: 'pq' | 'hlg', params = '', format = 'yuv444p10le'): Promise<string> {
  const name = `${transfer}-${format}${params === '' ? '' : '-told'}`
  const raw = writeHdrColumns(join(studio.folder, `${name}.yuv`), colours, transfer)
  const trc = transfer === 'pq' ? 'smpte2084' : 'arib-std-b67'
  const filter = `${bt2020}=${trc}`.replace('yuv420p10le', format)
  return studio.make(`${name}.mkv`, [...raw, '-vf', filter, ...x265(`log-level=none:lossless=1${params}`)])
}

describe.each(ffmpegs)('HDR made SDR by %s', (_, program) => {
  const sdrTags = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }

  test.each([
    ['pq', 'h264', 'mp4', `:${display}:max-cll=1000,400`],
    ['pq', 'h264', 'mkv', ''],
    ['hlg', 'h264', 'mp4', ''],
    ['pq', 'vp9', 'webm', ''],
  ] as const)(
    'from %s in %s: darks, skin and colours are as bright as they were, lights are kept apart',
    async (transfer, codec, container, params) => {
      const { path, video, notes } = await studio.convert(program, await hdrColumns(transfer, params), {
        codec,
        container,
      })
      expect(video).toMatchObject({ pixel_format: 'yuv420p', color: sdrTags })
      expect(notes).toEqual(['HDR was tone-mapped to SDR by zscale'])
      const seen = await studio.columns(path, colours.length)
      const brightness = seen.slice(0, 8).map(([, green]) => green)
      for (const [index, light] of [0, 5, 20, 60].entries()) {
        expect(brightness[index]).toBeWithin(sdr(light) - 5, sdr(light) + 5)
      }
      expect(brightness[4]).toBeWithin(175, 195)
      expect(brightness[5]).toBeWithin(208, 226)
      expect(brightness[6]).toBeWithin(230, 247)
      expect(brightness[7]).toBeWithin(250, 260)
      for (const [index, strong] of [0, 1, 2].entries()) {
        const colour = seen[8 + index] ?? grey(0)
        // zscale takes a scene's light for a screen's by each colour alone, which makes a pure blue of HLG brighter.
        expect(colour[strong]).toBeWithin(sdr(60) - 12, sdr(60) + (transfer === 'hlg' ? 35 : 12))
        for (const weak of [0, 1, 2].filter((other) => other !== strong)) expect(colour[weak]).toBeLessThan(40)
      }
      const [red, green, blue] = seen[11] ?? grey(0)
      expect(red).toBeWithin(172, 190)
      expect(green).toBeWithin(125, 140)
      expect(blue).toBeWithin(102, 122)
    },
  )

  test('is far from what a mere change of format gives, which is dull', async () => {
    const path = await hdrColumns('pq')
    const naive = await studio.make('naive.mkv', ['-i', path, '-pix_fmt', 'yuv420p', '-c:v', 'ffv1'])
    const [dull, mapped] = [
      await studio.columns(naive, colours.length),
      await studio.columns((await studio.convert(program, path, { codec: 'h264' })).path, colours.length),
    ]
    expect(mapped[5]?.[1]).toBeGreaterThan((dull[5]?.[1] ?? 0) + 50)
    expect(spread(mapped[8] ?? grey(0))).toBeGreaterThan(1.5 * spread(dull[8] ?? grey(0)))
  })
})

/** A film whose container says of what screen and light it is, with a tag and a flag of its own and sound beside it. */
async function inContainer(name: 'told.mp4' | 'told.mkv' | 'turned.mp4'): Promise<string> {
  const tagged = ['-metadata:s:v:0', 'language=fra', '-metadata:s:v:0', 'title=Le film', '-disposition:v:0', 'default']
  const sound = ['-c:a', 'aac', '-metadata:s:a:0', 'language=deu', '-metadata:s:a:0', 'title=Zwei']
  const tone = ['-f', 'lavfi', '-i', 'sine=duration=0.5']
  const film = ['-vf', `${bt2020}=smpte2084`, ...x265('log-level=none')]
  const made = await studio.make('told-plain.mp4', [...picture, ...tone, ...film, ...sound, ...tagged])
  const told = join(studio.folder, 'told.mp4')
  if (!existsSync(told)) {
    copyFileSync(made, told)
    addLightBoxes(told)
  }
  if (name === 'told.mp4') return told
  const turned = name === 'turned.mp4' ? ['-metadata:s:v:0', 'rotate=90'] : []
  return studio.make(name, ['-i', told, '-map', '0', '-c', 'copy', ...turned, ...tagged])
}

describe.each(ffmpegs)('HDR10 that its container tells of, made SDR by %s', (_, program) => {
  test.each([
    ['told.mp4', 'h264', 'mp4'],
    ['told.mp4', 'h264', 'mkv'],
    ['told.mkv', 'h264', 'mkv'],
    ['told.mp4', 'vp9', 'webm'],
    ['told.mkv', 'vp9', 'mp4'],
  ] as const)(
    '%s as %s in %s: nothing is left of it there, and tags and flags stay',
    async (name, codec, container) => {
      const source = await inContainer(name)
      expect(await studio.read(program, source)).toMatchObject({ hdr: { light, mastering: { max_luminance: 1000 } } })
      const audio_codec = container === 'webm' ? 'opus' : 'copy'
      const { info, video } = await studio.convert(program, source, { codec, container, audio_codec })
      expect(video).toMatchObject({ hdr: null, frame_count: 5, language: 'fra', dispositions: ['default'] })
      if (name === 'told.mkv' && container === 'mkv') expect(video.title).toBe('Le film')
      expect(info.streams).toMatchObject([{ kind: 'video' }, { kind: 'audio', language: 'deu' }])
    },
  )

  test('in two passes as in one', async () => {
    const wanted = { codec: 'h264', container: 'mkv', two_pass: true, bitrate: 300_000 } as const
    const { video } = await studio.convert(program, await inContainer('told.mkv'), wanted)
    expect(video).toMatchObject({ hdr: null, frame_count: 5, language: 'fra' })
  })

  test('is turned as it is to be shown, once', async () => {
    const { video } = await studio.convert(program, await inContainer('turned.mp4'), { codec: 'h264' })
    expect(video).toMatchObject({ hdr: null, width: 144, height: 256, rotation: 0 })
  })
})

test('a result that is SDR must not say what the light of an HDR film was', () => {
  const color = { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' }
  const none = { dolby_vision: null, has_hdr10_plus: false }
  const expected = { tags: color, mastering: null, light: null }
  const sentence = ['the result is SDR, and still says what the light of the HDR film was']
  const problems = (hdr: HdrMetadata | null) => colourProblems(expected, video({ color, hdr }))
  expect(problems(null)).toEqual([])
  expect(problems({ ...none, mastering: null, light })).toEqual(sentence)
  expect(problems({ ...none, mastering, light: null })).toEqual(sentence)
})

describe.skipIf(lacks('lavapipe', 'ffmpeg_vulkan'))('HDR made SDR on a GPU', () => {
  const program = vulkanFfmpeg() ?? 'ffmpeg'
  const device = gpu({
    name: 'llvmpipe',
    type: 'cpu',
    capabilities: [
      capability({ operation: 'filter', codec: null, by: 'libplacebo', bit_depth: 10 }),
      capability({ operation: 'decode', codec: 'ffv1', by: 'vulkan', bit_depth: 10 }),
    ],
  })

  test.each([
    ['PQ that tells its light', 'pq', `:${display}:max-cll=1000,400`],
    ['PQ that tells nothing', 'pq', ''],
    ['HLG', 'hlg', ''],
  ] as const)('looks as from the CPU: %s', async (_, transfer, params) => {
    const source = await hdrColumns(transfer, params, 'yuv420p10le')
    const onGpu = await studio.convert(program, source, { codec: 'h264' }, required(device))
    const onCpu = await studio.convert(program, source, { codec: 'h264' })
    expect(onGpu.ran_on).toMatchObject({ decode: 'cpu', filter: 'vulkan', encoder: 'libx264', device: 'llvmpipe' })
    expect(onGpu.notes).toEqual(['HDR was tone-mapped to SDR by libplacebo'])
    expect(onGpu.video).toMatchObject({ color: onCpu.video.color, hdr: null, pixel_format: 'yuv420p' })
    const [seen, usual] = [
      await studio.columns(onGpu.path, colours.length),
      await studio.columns(onCpu.path, colours.length),
    ]
    for (const index of [0, 1, 2, 3, 4, 5, 6, 7, 11]) {
      expect(seen[index]?.[1]).toBeWithin((usual[index]?.[1] ?? 0) - 16, (usual[index]?.[1] ?? 0) + 16)
    }
  })

  test('nothing is left there of what the container told of an HDR film', async () => {
    const { ran_on, video } = await studio.convert(
      program,
      await inContainer('told.mp4'),
      { codec: 'h264' },
      required(device),
    )
    expect(ran_on).toMatchObject({ filter: 'vulkan', fell_back: false })
    expect(video).toMatchObject({ hdr: null, frame_count: 5, language: 'fra' })
  })

  test('what is decoded there is tone-mapped there', async () => {
    const args = [...picture, '-vf', `${bt2020}=smpte2084`, '-c:v', 'ffv1', '-level', '3']
    const source = await studio.make('hdr-ffv1.mkv', args)
    const { ran_on, video } = await studio.convert(program, source, { codec: 'h264' }, required(device))
    expect(ran_on).toMatchObject({ decode: 'vulkan', filter: 'vulkan', encoder: 'libx264', fell_back: false })
    expect(video).toMatchObject({
      frame_count: 5,
      color: { range: 'tv', primaries: 'bt709', transfer: 'bt709', matrix: 'bt709' },
    })
  })
})
