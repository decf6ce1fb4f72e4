import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import { convert, type ConvertResult } from '../../src/pipeline/convert.ts'
import type { GpuAccess } from '../../src/pipeline/gpu-access.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import { withFirstFrame } from '../../src/pipeline/probe/first-frame.ts'
import { mainVideo } from '../../src/pipeline/probe/main-video.ts'
import type { MediaInfo, VideoStream } from '../../src/pipeline/probe/media-info.ts'
import { findTools, type Tools } from '../../src/pipeline/tools.ts'
import { settings } from '../pipeline/samples.ts'
import { conversionIn } from './conversion.ts'
import { noGpus } from './no-gpus.ts'
import { vulkanFfmpeg } from './vulkan.ts'

/** The ffmpegs that there are, by what to call them: the system's, and a newer one where the tests have one. */
export const ffmpegs: [string, string][] = [
  ['the system’s ffmpeg', 'ffmpeg'],
  ...[vulkanFfmpeg()].flatMap((path): [string, string][] => (path === undefined ? [] : [['a newer ffmpeg', path]])),
]

/** What a test of colour works with. */
export interface ColourStudio {
  /** A folder that is removed when the file's tests have ended. */
  folder: string
  /** Makes a clip of that name when it is first asked for, by the system's ffmpeg unless told, and gives its path. */
  make(name: string, args: readonly string[], program?: string): Promise<string>
  /** Converts for real, and reads the result back with its first frame. */
  convert(program: string, source: string, wanted: Partial<ConversionSettings>, gpus?: GpuAccess): Promise<Converted>
  /** A clip's film, with what its first frame says of its HDR. */
  read(program: string, path: string): Promise<VideoStream>
  /** Red, green and blue, 0 to 255, of the middle of each of so many equal columns, by BT.709's or another's formula. */
  columns(path: string, count: number, matrix?: Matrix): Promise<Rgb[]>
}

export type Converted = ConvertResult & { path: string; info: MediaInfo; video: VideoStream }
export type Rgb = readonly [number, number, number]
/** The shares of red and blue in brightness. */
export type Matrix = readonly [red: number, blue: number]
export const bt709: Matrix = [0.2126, 0.0722]
export const bt2020: Matrix = [0.2627, 0.0593]
export const bt601: Matrix = [0.299, 0.114]

const { signal } = new AbortController()

/** Call it at the top of a test file. */
export function useColourStudio(): ColourStudio {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-colour-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const made = new Map<string, Promise<string>>()
  let count = 0
  return {
    folder,
    make(name, args, program = 'ffmpeg') {
      const path = join(folder, name)
      const clip =
        made.get(name) ?? run([program, '-nostdin', '-loglevel', 'error', '-y', ...args, path]).then(() => path)
      made.set(name, clip)
      return clip
    },
    async convert(program, source_path, wanted, gpus = noGpus) {
      const tools = await findTools({ ffmpeg_path: program, environment: process.env, signal })
      const asked = settings({ audio_codec: 'copy', preset: 'ultrafast', ...wanted })
      const request = conversionIn(join(folder, `${++count}`), { source_path, settings: asked, tools, gpus })
      const { staging_path: path } = request
      const result = await convert(request)
      return { ...result, path, ...(await readVideo(tools, path)) }
    },
    async read(program, path) {
      return (await readVideo(await findTools({ ffmpeg_path: program, environment: process.env, signal }), path)).video
    },
    async columns(path, count, matrix = bt709) {
      const { width, height, bytes } = await readPicture(path)
      const plane = (number: number, x: number) => bytes[number * width * height + (height >> 1) * width + x] ?? 0
      return Array.from({ length: count }, (_, column) => {
        const x = Math.floor(((column + 0.5) * width) / count)
        return toRgb([plane(0, x), plane(1, x), plane(2, x)], matrix)
      })
    },
  }
}

async function readVideo(tools: Tools, path: string): Promise<{ info: MediaInfo; video: VideoStream }> {
  const reading = { path, tools, environment: process.env, timeout_ms: 20_000, signal }
  const { info } = await readMediaInfo(reading, ['-count_packets'])
  return { info, video: mainVideo(await withFirstFrame(reading, info, mainVideo(info))) }
}

async function run(argv: string[]): Promise<Uint8Array> {
  const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, said] = await Promise.all([child.exited, child.stdout.bytes(), child.stderr.text()])
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${said}`)
  return out
}

/** The first frame, its numbers as they are: three planes of eight bits. */
async function readPicture(path: string): Promise<{ width: number; height: number; bytes: Uint8Array }> {
  const size = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'csv=p=0']
  const [width = 0, height = 0] = new TextDecoder()
    .decode(await run(['ffprobe', ...size, path]))
    .split(',')
    .map(Number)
  const raw = ['-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'yuv444p', '-']
  return { width, height, bytes: await run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-i', path, ...raw]) }
}

function toRgb([y, cb, cr]: Rgb, [red, blue]: Matrix): Rgb {
  const [light, u, v] = [(y - 16) / 219, (cb - 128) / 224, (cr - 128) / 224]
  const [r, b] = [light + 2 * (1 - red) * v, light + 2 * (1 - blue) * u]
  const g = (light - red * r - blue * b) / (1 - red - blue)
  return [r * 255, g * 255, b * 255]
}

/** Columns of one colour each, cd/m² of BT.709's red, green and blue, as raw PQ or HLG in BT.2020 with 10 bits and 4:4:4. */
export function writeHdrColumns(path: string, colours: readonly Rgb[], transfer: 'pq' | 'hlg'): string[] {
  const [width, height] = [colours.length * 32, 96]
  const encode = transfer === 'pq' ? (light: Rgb) => light.map(pq) : hlg
  const pixels = colours.map((colour) => toYuv10(encode(toBt2020(colour)) as unknown as Rgb))
  const planes = [0, 1, 2].map((plane) => {
    const line = pixels.flatMap((pixel) => Array.from({ length: 32 }, () => pixel[plane] ?? 0))
    return Array.from({ length: height }, () => line).flat()
  })
  const frame = Uint16Array.from(planes.flat())
  writeFileSync(path, new Uint8Array(Uint16Array.from([...frame, ...frame, ...frame]).buffer))
  return ['-f', 'rawvideo', '-pixel_format', 'yuv444p10le', '-video_size', `${width}x${height}`, '-i', path]
}

/** ITU-R BT.2087. */
function toBt2020([r, g, b]: Rgb): Rgb {
  return [
    0.6274 * r + 0.3293 * g + 0.0433 * b,
    0.0691 * r + 0.9195 * g + 0.0114 * b,
    0.0164 * r + 0.088 * g + 0.8956 * b,
  ]
}

/** SMPTE ST 2084, of cd/m². */
function pq(light: number): number {
  const y = (light / 10_000) ** (2610 / 16_384)
  return ((3424 / 4096 + (2413 / 128) * y) / (1 + (2392 / 128) * y)) ** (2523 / 32)
}

/** ARIB STD-B67 as a screen of 1000 cd/m² shows it, with its gamma of 1.2. */
function hlg(light: Rgb): number[] {
  const [r, g, b] = light.map((value) => value / 1000) as unknown as Rgb
  const brightness = 0.2627 * r + 0.678 * g + 0.0593 * b
  const scene = brightness === 0 ? 0 : brightness ** (1 / 1.2 - 1)
  return [r, g, b].map((value) => {
    const e = value * scene
    return e <= 1 / 12 ? Math.sqrt(3 * e) : 0.17883277 * Math.log(12 * e - 0.28466892) + 0.55991073
  })
}

function toYuv10([r, g, b]: Rgb): Rgb {
  const y = 0.2627 * r + 0.678 * g + 0.0593 * b
  return [64 + 876 * y, 512 + (896 * (b - y)) / 1.8814, 512 + (896 * (r - y)) / 1.4746].map((value) =>
    Math.round(Math.max(0, Math.min(1023, value))),
  ) as unknown as Rgb
}
