import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { VideoStream } from '../../src/pipeline/probe/media-info.ts'
import { bt2020, bt601, bt709, ffmpegs, type Matrix, type Rgb, useColourStudio } from '../support/colour-clips.ts'

setDefaultTimeout(60_000)
const studio = useColourStudio()

const bars: Rgb[] = [
  [191, 191, 191],
  [191, 191, 0],
  [0, 191, 191],
  [0, 191, 0],
  [191, 0, 191],
  [191, 0, 0],
  [0, 0, 191],
  [64, 96, 128],
]

/** Columns of those colours, of that size, as raw RGB. */
function rawBars(width: number, height: number): string[] {
  const path = join(studio.folder, `bars-${width}x${height}.rgb`)
  const line = Array.from({ length: width }, (_, x) => bars[Math.floor((x * bars.length) / width)] ?? [0, 0, 0]).flat()
  writeFileSync(path, new Uint8Array(Array.from({ length: height }, () => line).flat()))
  const size = `${width}x${height}`
  return ['-stream_loop', '2', '-f', 'rawvideo', '-pixel_format', 'rgb24', '-video_size', size, '-i', path]
}

const lossless = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0']
const tagged = (matrix: string, primaries: string, transfer: string, range = 'tv') =>
  `setparams=range=${range}:color_primaries=${primaries}:color_trc=${transfer}:colorspace=${matrix}`
const untagged = 'setparams=range=unknown:color_primaries=unknown:color_trc=unknown:colorspace=unknown'
const sd = [320, 192] as const
const hd = [1280, 720] as const

interface Source {
  size: readonly [number, number]
  /** Filters and encoder. */
  args: string[]
}

const sources = {
  PAL: {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=bt470,format=yuv420p,${tagged('bt470bg', 'bt470bg', 'smpte170m')}`,
      ...lossless,
    ],
  },
  NTSC: {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=bt601,format=yuv420p,${tagged('smpte170m', 'smpte170m', 'smpte170m')}`,
      ...lossless,
    ],
  },
  'BT.709': {
    size: sd,
    args: ['-vf', `scale=out_color_matrix=bt709,format=yuv420p,${tagged('bt709', 'bt709', 'bt709')}`, ...lossless],
  },
  'BT.2020 of 10 bits': {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=bt2020,format=yuv420p10le,${tagged('bt2020nc', 'bt2020', 'bt2020-10')}`,
      ...lossless,
    ],
  },
  '4:2:2 of 10 bits': {
    size: sd,
    args: ['-vf', `scale=out_color_matrix=bt709,format=yuv422p10le,${tagged('bt709', 'bt709', 'bt709')}`, ...lossless],
  },
  'full range': {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=bt709:out_range=pc,format=yuvj420p,${tagged('bt709', 'bt709', 'bt709', 'pc')}`,
      ...lossless,
    ],
  },
  'full range in 4:4:4': {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=bt601:out_range=pc,format=yuv444p,${tagged('smpte170m', 'smpte170m', 'smpte170m', 'pc')}`,
      ...lossless,
    ],
  },
  RGB: { size: sd, args: ['-c:v', 'libx264rgb', '-preset', 'ultrafast', '-qp', '0'] },
  'RGB in ffv1': { size: sd, args: ['-pix_fmt', 'bgr0', '-c:v', 'ffv1'] },
  'SMPTE 240M': {
    size: sd,
    args: [
      '-vf',
      `scale=out_color_matrix=smpte240m,format=yuv420p,${tagged('smpte240m', 'smpte240m', 'smpte240m')}`,
      ...lossless,
    ],
  },
  FCC: {
    size: sd,
    args: ['-vf', `scale=out_color_matrix=fcc,format=yuv420p,${tagged('fcc', 'bt470m', 'smpte170m')}`, ...lossless],
  },
  YCgCo: {
    size: sd,
    args: [
      '-vf',
      `format=gbrp,zscale=matrix=ycgco:range=limited,format=yuv444p,${tagged('ycgco', 'bt709', 'bt709')}`,
      ...lossless,
    ],
  },
  'HD without tags': {
    size: hd,
    args: ['-vf', `scale=out_color_matrix=bt709,format=yuv420p,${untagged}`, ...lossless],
  },
  'SD without tags': {
    size: sd,
    args: ['-vf', `scale=out_color_matrix=bt601,format=yuv420p,${untagged}`, ...lossless],
  },
} satisfies Record<string, Source>

const matrices: Record<string, Matrix> = { bt709, bt2020nc: bt2020, bt470bg: bt601, smpte170m: bt601 }
const none = { primaries: null, transfer: null, matrix: null }
const all = (name: string) => ({ primaries: name, transfer: name, matrix: name })

type Name = keyof typeof sources
const tags: Record<Name, Omit<VideoStream['color'], 'range'>> = {
  PAL: { primaries: 'bt470bg', transfer: 'smpte170m', matrix: 'bt470bg' },
  NTSC: all('smpte170m'),
  'BT.709': all('bt709'),
  'BT.2020 of 10 bits': { primaries: 'bt2020', transfer: 'bt2020-10', matrix: 'bt2020nc' },
  '4:2:2 of 10 bits': all('bt709'),
  'full range': all('bt709'),
  'full range in 4:4:4': all('smpte170m'),
  RGB: all('bt709'),
  'RGB in ffv1': all('bt709'),
  'SMPTE 240M': { primaries: 'smpte240m', transfer: 'smpte240m', matrix: 'bt709' },
  FCC: { primaries: 'bt470m', transfer: 'smpte170m', matrix: 'smpte170m' },
  YCgCo: all('bt709'),
  'HD without tags': all('bt709'),
  'SD without tags': none,
}
/** What ffv1 keeps as it is, being lossless. */
const keptByFfv1 = new Set<Name>(['SMPTE 240M', 'FCC', 'YCgCo'])

type Target = Pick<ConversionSettings, 'codec' | 'container'>
const everywhere: Target = { codec: 'h264', container: 'mp4' }
const elsewhere: Target[] = [
  { codec: 'h264', container: 'mkv' },
  { codec: 'hevc', container: 'mp4' },
  { codec: 'hevc', container: 'mkv' },
  { codec: 'av1', container: 'mp4' },
  { codec: 'av1', container: 'mkv' },
  { codec: 'vp9', container: 'webm' },
  { codec: 'vp9', container: 'mp4' },
  { codec: 'prores', container: 'mov' },
  { codec: 'ffv1', container: 'mkv' },
]
const names = Object.keys(sources) as Name[]
/** What differs by encoder and container is tried with all of them. */
const typical: Name[] = ['PAL', 'BT.2020 of 10 bits', 'full range']
const cases: [Name, Target][] = [
  ...names.map((name): [Name, Target] => [name, everywhere]),
  ...typical.flatMap((name) => elsewhere.map((target): [Name, Target] => [name, target])),
]

describe.each(ffmpegs)('by %s', (_, program) => {
  test.each(cases)('%s is tagged as its pixels are in %o', async (name, target) => {
    const { size, args }: Source = sources[name]
    const source = await studio.make(`${name.replaceAll(/\W/g, '-')}.mkv`, [...rawBars(...size), ...args])
    const wanted = { ...target, target_resolution: { width: 320, height: 192 } }
    const { video, path } = await studio.convert(program, source, wanted)
    const { range, ...color } = video.color
    expect(color).toEqual(tags[name])
    if (name !== 'SD without tags') expect(range).toBe('tv')
    const hasTen = /10 bits/.test(name) && /^(hevc|av1|ffv1)$/.test(target.codec)
    expect(video.bit_depth).toBe(hasTen || target.codec === 'prores' ? 10 : 8)
    const seen = await studio.columns(path, bars.length, matrices[video.color.matrix ?? 'smpte170m'])
    const errors = seen.flatMap((colour, bar) =>
      colour.map((value, part) => Math.abs(value - (bars[bar]?.[part] ?? 0))),
    )
    // Eight bits of 4:2:0 are off by up to two, and a lossy encoder adds some.
    expect(Math.max(...errors)).toBeLessThan(8)
  })

  test.each([...keptByFfv1])('%s stays as it is in ffv1', async (name) => {
    const { size, args }: Source = sources[name]
    const source = await studio.make(`${name.replaceAll(/\W/g, '-')}.mkv`, [...rawBars(...size), ...args])
    const { video, notes } = await studio.convert(program, source, { codec: 'ffv1', container: 'mkv' })
    expect(video.color.matrix).toBe({ 'SMPTE 240M': 'smpte240m', FCC: 'fcc', YCgCo: 'ycgco' }[name as string] ?? '')
    expect(notes).toEqual([])
  })
})
