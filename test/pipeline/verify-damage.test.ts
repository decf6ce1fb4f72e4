import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Container, ConversionSettings, VerifySettings } from '../../src/contract/conversion.ts'
import { ConversionError } from '../../src/contract/failure.ts'
import { convert } from '../../src/pipeline/convert.ts'
import { planConversion } from '../../src/pipeline/plan.ts'
import { planPicture } from '../../src/pipeline/plan/video/picture.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import { mainVideo } from '../../src/pipeline/probe/main-video.ts'
import { findTools, type Tools } from '../../src/pipeline/tools.ts'
import { verifyResult } from '../../src/pipeline/verify.ts'
import { conversionIn } from '../support/conversion.ts'
import { caught, settings } from './samples.ts'

setDefaultTimeout(300_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-damage-'))
const { signal } = new AbortController()
/** More than a usual run has time for, where somebody wants to know it better. */
const flipsEach = Number(process.env['DARKSTREAM_TEST_DAMAGE'] ?? 4)
const rates = new Map<string, { caught: number; of: number }>()
let tools: Tools
let seed = 0

/**
 * What is harmed: results of each codec in its usual container, of a film with noise in it. A short one is decoded whole in
 * either way; of a long one the samples see a part.
 */
const full: VerifySettings = { decode: 'full', metric: null }
const subjects = {
  'h264 in mp4': { codec: 'h264', container: 'mp4', audio_codec: 'aac' },
  'hevc in mkv': { codec: 'hevc', container: 'mkv', audio_codec: 'opus' },
  'hevc in mp4': { codec: 'hevc', container: 'mp4', audio_codec: 'aac' },
  'av1 in mp4': { codec: 'av1', container: 'mp4', audio_codec: 'aac' },
  'vp9 in webm': { codec: 'vp9', container: 'webm', audio_codec: 'opus' },
  'ffv1 in mkv': { codec: 'ffv1', container: 'mkv', audio_codec: 'aac' },
  'prores in mov': { codec: 'prores', container: 'mov', audio_codec: 'aac' },
  'hevc in mp4, full': { codec: 'hevc', container: 'mp4', audio_codec: 'aac', verify: full },
  'long h264': { codec: 'h264', container: 'mp4', audio_codec: 'aac' },
} as const satisfies Record<string, Partial<ConversionSettings>>
type Subject = keyof typeof subjects

/**
 * The least share of changed bytes that must be seen, all sizes together. Matroska has a checksum over everything, ffv1 one
 * in each slice, and x265 writes one of each picture where all is decoded. The other codecs make another picture of a changed
 * byte as often as an error, hevc nearly always, and nothing in aac could tell.
 */
const leastOfBytes: Record<Subject, number> = {
  'h264 in mp4': 0.5,
  'hevc in mkv': 1,
  'hevc in mp4': 0,
  'av1 in mp4': 0.6,
  'vp9 in webm': 0.5,
  'ffv1 in mkv': 1,
  'prores in mov': 0.4,
  'hevc in mp4, full': 0.75,
  // Most of it is sound, and of the pictures the samples see a part: what is changed elsewhere stays.
  'long h264': 0,
}

beforeAll(async () => {
  tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
  await ffmpeg(...inputs(1), join(folder, 'film.mkv'))
  const long = inputs(1).map((word) => (word === '3' ? '100' : word.replace('320x180:rate=25', '64x48:rate=10')))
  await ffmpeg(...long, join(folder, 'long.mkv'))
  await ffmpeg(...inputs(2), join(folder, 'other.mkv'))
})

function inputs(number: number): string[] {
  return [
    ['-f', 'lavfi', '-i', number === 1 ? 'testsrc2=size=320x180:rate=25' : 'mandelbrot=size=320x180:rate=25'],
    ['-f', 'lavfi', '-i', `sine=frequency=${220 * number}`, '-f', 'lavfi', '-i', `sine=frequency=${330 * number}`],
    ['-map', '0', '-map', '1', '-map', '2', '-t', '3', '-vf', 'noise=alls=6:allf=t'],
    ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'aac'],
  ].flat()
}

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
  console.log(table())
})

/** Rows by kind of harm, columns by subject. */
function table(): string {
  const kinds = [...new Set([...rates.keys()].map((key) => key.split('|')[1] ?? ''))]
  const width = 19
  const head = ['caught of planted'.padEnd(34), ...Object.keys(subjects).map((name) => name.padEnd(width))].join('')
  const rows = kinds.map((kind) => {
    const cells = Object.keys(subjects).map((subject) => {
      const rate = rates.get(`${subject}|${kind}`)
      return (rate === undefined ? '' : `${rate.caught}/${rate.of}`).padEnd(width)
    })
    return [kind.padEnd(34), ...cells].join('')
  })
  return ['', head, ...rows].join('\n')
}

async function ffmpeg(...args: string[]): Promise<void> {
  const child = Bun.spawn(['ffmpeg', '-v', 'error', '-nostdin', '-y', ...args], { stderr: 'pipe' })
  if ((await child.exited) !== 0) throw new Error(await child.stderr.text())
}

/** A number from 0 to below 1, the same in every run. */
function random(): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

/** What the checked result of a film was made of, and how it is looked at again. */
async function made(subject: Subject, film: 'film' | 'other' | 'long') {
  const path = join(folder, `${subject} of ${film}`)
  const source_path = join(folder, `${film}.mkv`)
  const asked = settings({ preset: 'veryfast', bitrate: 600_000, audio_bitrate: 64_000, ...subjects[subject] })
  const common = { tools, environment: process.env, signal, timeout_ms: 60_000 }
  await convert(conversionIn(folder, { source_path, staging_path: path, settings: asked, tools }))
  const [{ info: source }, { info }] = [
    await readMediaInfo({ ...common, path: source_path }),
    await readMediaInfo({ ...common, path }, ['-count_packets']),
  ]
  const video = mainVideo(info)
  const told = { frames: video.frame_count, size_bytes: statSync(path).size, end_seconds: info.duration_seconds }
  const verify = (changed: string, sizeBytes: number | null) =>
    verifyResult(
      {
        ...common,
        path: changed,
        stall_timeout_ms: 60_000,
        container: asked.container,
        settings: asked.verify,
        seed: 'film',
        copied_codecs: [],
        source_path,
        picture: planPicture(mainVideo(source), asked),
        on_percent: () => {},
      },
      planConversion(source, asked).expected,
      { ...told, size_bytes: sizeBytes },
    )
  return { path, bytes: readFileSync(path), container: asked.container, told, verify }
}
type Made = Awaited<ReturnType<typeof made>>

/** Notes whether harm was seen. A refusal must say that the result is at fault or the source, and never crash. */
async function plant(subject: Subject, kind: string, check: Promise<unknown>): Promise<boolean> {
  const error = await caught(check)
  if (error !== undefined) expect(error).toBeInstanceOf(ConversionError)
  const rate = rates.get(`${subject}|${kind}`) ?? { caught: 0, of: 0 }
  rates.set(`${subject}|${kind}`, { caught: rate.caught + Number(error !== undefined), of: rate.of + 1 })
  return error !== undefined
}

const muxers: Record<Container, string[]> = {
  mp4: ['-movflags', '+faststart', '-f', 'mp4'],
  mov: ['-movflags', '+faststart', '-write_tmcd', '0', '-f', 'mov'],
  mkv: ['-f', 'matroska'],
  webm: ['-f', 'webm'],
}

/** Harm by writing the file anew without a fault of its own: what is wrong is what is in it. */
const remuxes: [kind: string, args: string[]][] = [
  ['no sound', ['-map', '0:v']],
  ['one sound track of two', ['-map', '0:v', '-map', '0:a:0']],
  ['no picture', ['-map', '0:a']],
  ['frames left out in the middle', ['-map', '0', '-bsf:v', "noise=amount=-1:drop='between(n\\,30\\,34)'"]],
  ['one frame left out', ['-map', '0', '-bsf:v', "noise=amount=-1:drop='eq(n\\,74)'"]],
  ['the last second left out', ['-map', '0', '-t', '2']],
]

/** Harm by other bytes in the same file. */
const cuts: [kind: string, harm: (bytes: Buffer) => Buffer][] = [
  ['tail cut by a byte', (bytes) => bytes.subarray(0, -1)],
  ['tail cut by a kilobyte', (bytes) => bytes.subarray(0, -1024)],
  ...[1, 10, 50].map((percent): [string, (bytes: Buffer) => Buffer] => [
    `tail cut by ${percent} %`,
    (bytes) => bytes.subarray(0, Math.floor(bytes.length * (1 - percent / 100))),
  ]),
  ['a byte behind the end', (bytes) => Buffer.concat([bytes, Buffer.alloc(1)])],
  [
    '4 KB of garbage behind the end',
    (bytes) => Buffer.concat([bytes, Buffer.from(Array.from({ length: 4096 }, random))]),
  ],
  ['an empty file', () => Buffer.alloc(0)],
  ['a file of zeros', (bytes) => Buffer.alloc(bytes.length)],
]

describe.each(Object.keys(subjects) as Subject[])('%s', (subject) => {
  const at = join(folder, `harmed ${subject}`)
  let good: Made
  const isLong = subject.startsWith('long')
  beforeAll(async () => {
    seed = 20_251 + Object.keys(subjects).indexOf(subject)
    good = await made(subject, isLong ? 'long' : 'film')
  })
  /** Checks without the size that ffmpeg told, which alone would give away most of it. */
  const harmed = (kind: string, bytes: Uint8Array) => {
    writeFileSync(at, bytes)
    return plant(subject, kind, good.verify(at, null))
  }

  test('the result itself passes', async () => {
    await good.verify(good.path, good.told.size_bytes)
  })

  test.each(cuts)('%s is seen', async (kind, harm) => {
    expect(await harmed(kind, harm(good.bytes))).toBe(true)
  })

  test.each(remuxes)('%s: seen', async (kind, args) => {
    await ffmpeg('-i', good.path, '-map_metadata', '0', '-c', 'copy', ...args, ...muxers[good.container], at)
    expect(await plant(subject, kind, good.verify(at, null))).toBe(true)
  })

  test('times that run too slowly are seen', async () => {
    await ffmpeg('-itsscale', '1.5', '-i', good.path, '-map', '0', '-c', 'copy', ...muxers[good.container], at)
    expect(await plant(subject, 'times that run too slowly', good.verify(at, null))).toBe(true)
  })

  test('a header that tells a wrong length is seen', async () => {
    const bytes = Buffer.from(good.bytes)
    if (good.container === 'mkv' || good.container === 'webm') {
      // The duration is a double of 8 bytes, in milliseconds.
      const place = bytes.indexOf(Buffer.from([0x44, 0x89, 0x88])) + 3
      bytes.writeDoubleBE(bytes.readDoubleBE(place) * 2, place)
    } else {
      // ISO 14496-12, 8.2.2: in version 0 the duration is 16 bytes behind the name.
      const place = bytes.indexOf('mvhd') + 4 + 16
      bytes.writeUInt32BE(bytes.readUInt32BE(place) * 2, place)
    }
    expect(await harmed('a header with a wrong length', bytes)).toBe(true)
  })

  test("another film's result of the same length is seen", async () => {
    const other = await made(subject, 'other')
    expect(await plant(subject, "another film's result", good.verify(other.path, good.told.size_bytes))).toBe(true)
  })

  test('changed bytes are seen as often as the codec lets it', async () => {
    let [seen, planted] = [0, 0]
    for (const size of [1, 16, 64]) {
      for (let flip = 0; flip < flipsEach; flip++) {
        const bytes = Buffer.from(good.bytes)
        const place = mediaPlace(bytes, size)
        for (let byte = 0; byte < size; byte++) {
          bytes[place + byte] = (bytes[place + byte] ?? 0) ^ (1 + Math.floor(random() * 255))
        }
        const isSeen = await harmed(`${size} changed ${size === 1 ? 'byte' : 'bytes'}`, bytes)
        seen += Number(isSeen)
        planted++
      }
    }
    for (let hole = 0; hole < flipsEach; hole++) {
      const bytes = Buffer.from(good.bytes)
      const place = mediaPlace(bytes, 4096)
      bytes.fill(0, place, place + 4096)
      await harmed('a hole of 4 KB', bytes)
    }
    expect(seen / planted).toBeGreaterThanOrEqual(leastOfBytes[subject])
    // A hole where media should be is hardly ever taken for a picture; in a long film it may not be looked at.
    if (!isLong && subject !== 'hevc in mp4') expect(rates.get(`${subject}|a hole of 4 KB`)?.caught).toBe(flipsEach)
  })
})

/** Somewhere in the pictures and sounds, not in what describes them. */
function mediaPlace(bytes: Uint8Array, size: number): number {
  return Math.floor(bytes.length * 0.03 + random() * (bytes.length * 0.94 - size))
}
