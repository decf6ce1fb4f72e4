import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type Server } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConversionError } from '../../src/contract/failure.ts'
import { convert, type ConvertRequest } from '../../src/pipeline/convert.ts'
import { encode } from '../../src/pipeline/encode/encode.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import { runProcess } from '../../src/pipeline/process.ts'
import type { Guard } from '../../src/pipeline/process/guard.ts'
import { findTools, type Tools } from '../../src/pipeline/tools.ts'
import { playground } from '../master/scan/playground.ts'
import { conversionIn } from '../support/conversion.ts'
import * as hostile from '../support/hostile-media.ts'
import { caught, settings } from './samples.ts'

setDefaultTimeout(60_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-hostile-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()
const limits = { encode_timeout_ms: 20_000, probe_timeout_ms: 10_000, stall_timeout_ms: 10_000 }
/** KiB of memory that these tests give to ffmpeg and ffprobe, whose threads have stacks; the worst files below would take many times that. */
const memory_kib = 400_000 + 100_000 * availableParallelism()
const guards: Guard[] = process.platform === 'linux' && Bun.which('prlimit') !== null ? ['setpriv', 'shell'] : ['shell']
let tools: Tools
let jpeg: Buffer
let mp4: Buffer
let count = 0

beforeAll(async () => {
  tools = poor(await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal }))
  jpeg = await made(['testsrc2=s=16x16:d=0.04'], ['-frames:v', '1', '-huffman', 'default', '-f', 'mjpeg'])
  mp4 = await made(['testsrc2=s=64x64:r=25:d=1'], ['-c:v', 'mpeg4', '-g', '1', '-f', 'mp4'])
})

/** The same programs with little memory: what would fill it fails, and the test with it. */
function poor({ ffmpeg_path, ffprobe_path, version }: Tools): Tools {
  const bound = `ulimit -d ${memory_kib}`
  return {
    ffmpeg_path: script('ffmpeg', `${bound}\nexec '${ffmpeg_path}' "$@"`),
    ffprobe_path: script('ffprobe', `${bound}\nexec '${ffprobe_path}' "$@"`),
    version,
  }
}

/** A program of these lines of shell. */
function script(name: string, lines: string): string {
  const path = join(folder, name)
  writeFileSync(path, `#!/bin/sh\n${lines}\n`)
  chmodSync(path, 0o700)
  return path
}

async function made(inputs: readonly string[], output: readonly string[]): Promise<Buffer> {
  const path = join(folder, `made-${count++}`)
  const sources = inputs.flatMap((input) => ['-f', 'lavfi', '-i', input])
  const argv = [tools.ffmpeg_path, '-nostdin', '-v', 'error', ...sources, ...output, path]
  expect(await runProcess({ argv, environment: process.env, timeout_ms: 20_000, signal })).toMatchObject({
    exit_code: 0,
  })
  return readFileSync(path)
}

function written(name: string, content: string | Uint8Array): string {
  mkdirSync(join(folder, 'sources'), { recursive: true })
  const path = join(folder, 'sources', name)
  writeFileSync(path, content)
  return path
}

/** What came of a conversion: a result, or the error that must be a sentence. Nothing else of it may be left. */
async function outcome(source_path: string, changes: Partial<ConvertRequest> = {}) {
  const room = join(folder, `room-${count++}`)
  mkdirSync(room)
  const asked = settings({ preset: 'ultrafast', bitrate: 300_000, container: 'mkv' })
  const request = conversionIn(room, { source_path, settings: asked, tools, limits, ...changes })
  try {
    const result = await convert(request)
    expect(readdirSync(room)).toEqual(['attempt'])
    expect(readdirSync(join(room, 'attempt'))).toEqual(['out'])
    return { message: 'converted', ...result }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    expect(readdirSync(room)).toEqual([])
    expect(error.message).not.toMatch(/undefined|NaN|Infinity|\[object|\n/)
    return { message: error.message, report: error.report }
  }
}

describe('what names other files or hosts, and is no video, opens none of them', () => {
  /** What nobody may open: a fifo, in front of which a reader waits until its time is up, and a port. */
  const fifo = join(folder, 'secret.ts')
  const met: string[] = []
  let server: Server
  let port = 0

  beforeAll(async () => {
    Bun.spawnSync(['mkfifo', fifo])
    server = createServer((socket) => {
      met.push(String(socket.remotePort))
      socket.destroy()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    port = typeof address === 'object' && address !== null ? address.port : 0
  })
  afterAll(() => server.close())

  const extensions = ['.mp4', '.mkv', '.mov', '.avi', '.flv', '.webm', '.m4v']
  test.each(Object.entries(hostile.playlists))('%s', async (name, text) => {
    const targets = [`file:${fifo}`, fifo, `http://127.0.0.1:${port}/x.ts`, `tcp://127.0.0.1:${port}`, 'secret.ts']
    const place = mkdtempSync(join(folder, 'list-'))
    symlinkSync(fifo, join(place, 'secret.ts'))
    const outcomes = await Promise.all(
      targets.map(async (target, at) => {
        const path = join(place, `list-${at}${extensions[at]}`)
        writeFileSync(path, text(target))
        return outcome(path)
      }),
    )
    for (const { message } of outcomes) {
      expect(message).toMatch(
        /^(a playlist or a script that names other files, not a video|not a video: no known video format)$/,
      )
    }
    expect({ name, met }).toEqual({ name, met: [] })
  })

  test('an mp4 whose data are said to lie in another file', async () => {
    const secret = written('other.mp4', mp4)
    const path = written('alias.mp4', hostile.rewritten(mp4, { dref: () => hostile.aliasTo(secret) }))
    expect((await outcome(path)).message).not.toBe('converted')
  })
})

/** A header of version 1, where times have eight bytes, that says a milliard of hours. */
function endless(after: number): (held: Buffer) => Buffer {
  return (held) => {
    const times = Buffer.alloc(after === 12 ? 32 : 36)
    times.writeUInt8(1)
    if (after === 12) times.writeUInt32BE(1, 20)
    else held.copy(times, 20, 12, 20)
    times.writeBigUInt64BE(3_600_000_000_000n, after === 12 ? 24 : 28)
    return Buffer.concat([times, held.subarray(after === 12 ? 20 : 24)])
  }
}

/** An edit list that wants the first second so many times. */
function edits(times: number): Buffer {
  return Buffer.concat([hostile.fours(0, times), ...Array<Buffer>(times).fill(hostile.fours(1000, 0, 0x10000))])
}

/** Tables that say there are so many frames of a byte each, in a few bytes. */
function index(frames: number): Record<string, () => Buffer | undefined> {
  return {
    stsz: () => hostile.fours(0, 1, frames),
    stts: () => hostile.fours(0, 1, frames, 512),
    stsc: () => hostile.fours(0, 1, 1, frames, 1),
    stco: () => hostile.fours(0, 1, 64),
    stss: () => undefined,
  }
}

describe('claims that no honest file makes', () => {
  const ten9hours = 3.6e15
  const twoTracks = Array.from({ length: 2000 }, (_, at) => hostile.videoTrack(at + 2, 16, 16))
  const cases: [string, () => Buffer, RegExp][] = [
    ['a milliard of hours in a Matroska', () => hostile.matroska([jpeg], { duration: ten9hours }), /^converted$/],
    ['a length that is no number', () => hostile.matroska([jpeg], { duration: Number.NaN }), /^converted$/],
    ['a length without end', () => hostile.matroska([jpeg], { duration: Infinity }), /^converted$/],
    ['a length below zero', () => hostile.matroska([jpeg], { duration: -1e18 }), /^converted$/],
    [
      'a length of a day for a second',
      () => hostile.matroska([jpeg], { duration: 86_400_000 }),
      /^truncated: ends at 0:01 of 24:00:00$/,
    ],
    [
      'a milliard of hours in an mp4',
      () => hostile.rewritten(mp4, { mvhd: endless(12), mdhd: endless(12), tkhd: endless(20) }),
      /^converted$|^truncated/,
    ],
    [
      'a picture of 16384 x 16384',
      () => hostile.matroska([hostile.resized(jpeg, 16_384, 16_384)], { width: 16_384, height: 16_384 }),
      /^(damaged|the picture is too large)/,
    ],
    [
      'a picture of 65500 x 65500',
      () => hostile.matroska([hostile.resized(jpeg, 65_500, 65_500)]),
      /too large|damaged/,
    ],
    [
      'a picture that is too large, whole',
      () => hostile.matroska([hostile.grey(jpeg, 16_000, 15_000)]),
      /picture is too large: 16,000 x 15,000 pixels$/,
    ],
    [
      'a picture that becomes too large in mid-film',
      () => hostile.matroska([...Array<Buffer>(20).fill(jpeg), hostile.grey(jpeg, 16_000, 15_000)]),
      /^(near 0:00 )?the picture is too large: 16,000 x 15,000 pixels$/,
    ],
    [
      'a picture of one pixel',
      () => hostile.matroska([hostile.resized(jpeg, 1, 1)], { width: 1, height: 1 }),
      /^converted$/,
    ],
    [
      'a picture of no pixel',
      () => hostile.matroska([hostile.resized(jpeg, 0, 0)], { width: 0, height: 0 }),
      /^damaged/,
    ],
    ['two thousand tracks', () => hostile.matroska([jpeg], { tracks: twoTracks }), /more than 1,000 tracks$/],
    [
      'five tracks of sound without sound',
      () => hostile.matroska([jpeg], { tracks: Array.from({ length: 5 }, (_, at) => hostile.soundTrack(at + 2)) }),
      /^converted$/,
    ],
    ['five thousand chapters', () => hostile.matroska([jpeg], { others: [hostile.chapters(5000)] }), /^converted$/],
    [
      'fifty thousand chapters',
      () => hostile.matroska([jpeg], { others: [hostile.chapters(50_000)] }),
      /^not a usable video: its description is too long$/,
    ],
    [
      'megabytes of tags',
      () =>
        hostile.matroska([jpeg], {
          others: [
            hostile.tags([
              ['TITLE', 'x'.repeat(2e6)],
              ['A', 'y'.repeat(2e6)],
            ]),
          ],
        }),
      /^converted$/,
    ],
    [
      'more tags than a description may have',
      () => hostile.matroska([jpeg], { others: [hostile.tags([['TITLE', 'x'.repeat(9e6)]])] }),
      /^not a usable video: its description is too long$/,
    ],
    [
      'tags with names of ours',
      () =>
        hostile.matroska([jpeg], {
          others: [
            hostile.tags([
              ['__proto__', 'x'],
              ['DURATION', '99999999:00:00'],
              ['constructor', '1'],
              ['rotate', '1e999'],
              ['', 'x'],
              ['a\u0000\n"\\', 'ü\u0000'],
            ]),
          ],
        }),
      /^converted$/,
    ],
    [
      'a milliard of frames a second',
      () => hostile.matroska([jpeg], { track: [hostile.whole('23e383', 1)] }),
      /^converted$/,
    ],
    [
      'a frame in ten thousand years',
      () => hostile.matroska([jpeg], { track: [hostile.whole('23e383', 2n ** 62n)] }),
      /^converted$|beyond its own length/,
    ],
    ['all frames at one time', () => hostile.matroska([jpeg], { times: Array<number>(25).fill(0) }), /^truncated/],
    [
      'times that run backwards',
      () => hostile.matroska([jpeg], { times: Array.from({ length: 25 }, (_, at) => -at * 40) }),
      /^truncated/,
    ],
    [
      'a hole of three hundred thousand years',
      () => hostile.matroska([jpeg], { others: [hostile.cluster(2n ** 53n, [hostile.block(0, jpeg)])] }),
      /^converted$|^damaged|long, the source/,
    ],
    [
      'an element of more bytes than there are',
      () => hostile.matroska([jpeg], { others: [Buffer.from('1f43b67501fffffffffffffe', 'hex')] }),
      /^converted$|^truncated|^damaged/,
    ],
    [
      'one second that is to be played a hundred times',
      () => hostile.rewritten(mp4, { elst: () => edits(100) }),
      /1:40 long, the source 0:01$|beyond its own length/,
    ],
    [
      'eighty million frames in a kilobyte',
      () => hostile.rewritten(mp4, { ...index(80_000_000), edts: () => undefined }),
      /^(damaged|reading it takes too much memory|no |not )/,
    ],
    [
      'four milliard frames in a kilobyte',
      () => hostile.rewritten(mp4, { ...index(0xffffffff), edts: () => undefined }),
      /^(damaged|reading it takes too much memory|no |not )/,
    ],
    [
      'boxes in boxes in boxes',
      () =>
        Array.from({ length: 20_000 }).reduce<Buffer>(
          (inner) => (inner.length > 400_000 ? inner : hostile.box('moov', inner)),
          mp4,
        ),
      /./,
    ],
    [
      'a box of no end',
      () => Buffer.concat([mp4.subarray(0, 200), Buffer.from('000000016d6f6f76ffffffffffffffff', 'hex')]),
      /^(not|damaged|truncated)/,
    ],
  ]

  test.each(cases)('%s', async (name, make, message) => {
    const ended = await outcome(written(`${name}.mkv`, make()))
    expect(ended.message).toMatch(message)
    // What comes of it is told in numbers that people have.
    if ('source_duration' in ended) expect(ended.source_duration ?? 0).toBeLessThan(1e9)
  })

  test.skipIf(guards.length < 2)('ffprobe gets no more than four GiB to read them with', async () => {
    const ffprobe_path = script('asks-limit', 'echo "it has $(ulimit -d) KiB" >&2\nexit 1')
    const look = { path: 'x', tools: { ffprobe_path }, environment: process.env, timeout_ms: 20_000, signal }
    expect(await caught(readMediaInfo(look))).toHaveProperty('report.stderr_tail', 'it has 4194304 KiB\n')
  })
})

describe('what is no file, or changes while it is read', () => {
  test('a fifo, a device, a socket, links and folders end in a sentence at once', async () => {
    const place = mkdtempSync(join(folder, 'special-'))
    const at = (name: string) => join(place, name)
    Bun.spawnSync(['mkfifo', at('fifo.mp4')])
    symlinkSync('/dev/zero', at('device.mp4'))
    symlinkSync(at('gone'), at('dangling.mp4'))
    symlinkSync(at('loop.mp4'), at('loop.mp4'))
    mkdirSync(at('folder.mp4'))
    const server = createServer().listen(at('socket.mp4'))
    await new Promise<unknown>((resolve) => server.once('listening', resolve))
    try {
      const names = ['fifo.mp4', 'device.mp4', 'socket.mp4', 'dangling.mp4', 'loop.mp4', 'folder.mp4']
      expect(await Promise.all(names.map(async (name) => (await outcome(at(name))).message))).toEqual([
        'not a regular file',
        'not a regular file',
        'not a regular file',
        'the file is not there any more',
        'a symbolic link that leads back to itself',
        'a folder, not a file',
      ])
    } finally {
      server.close()
    }
  })

  test('a scan takes none of them, and what is beside them', async () => {
    await using ground = await playground()
    const at = (name: string) => join(ground.root, name)
    Bun.spawnSync(['mkfifo', at('fifo.mp4')])
    symlinkSync('/dev/zero', at('device.mp4'))
    symlinkSync(at('gone'), at('dangling.mp4'))
    symlinkSync(at('loop.mp4'), at('loop.mp4'))
    symlinkSync(ground.root, at('round'))
    mkdirSync(at('folder.mp4'))
    const names = [
      `${'x'.repeat(251)}.mp4`,
      'new\nline.mp4',
      '-i.mp4',
      '%d.mp4',
      'concat:a|b.mp4',
      '__proto__.mp4',
      "it's\u001b[31m.mp4",
    ]
    for (const name of names) await ground.file(name)
    const scanner = ground.scanner()
    await scanner.scan()
    expect(ground.found()).toEqual(names.toSorted())
  })

  test('a file that grows, or is cut, after it was looked at', async () => {
    const clip = await made(['testsrc2=s=64x64:r=25:d=1'], ['-c:v', 'mpeg2video', '-f', 'mpegts'])
    const path = written('grows.ts', clip)
    const grown = await outcome(path, { on_progress: ({ step }) => step === 'plan' && appendFileSync(path, clip) })
    expect(grown.message).toMatch(/^converted$|^damaged|long, the source/)
    const cut = written('shrinks.ts', Buffer.concat([clip, clip]))
    const ended = await outcome(cut, { on_progress: ({ step }) => step === 'plan' && truncateSync(cut, 1000) })
    expect(ended.message).toMatch(/^(damaged|truncated|no )/)
  })
})

test.each([
  'x'.repeat(255),
  '%d.png',
  'pipe:0',
  'subfile,,start,0,end,9,,:x.mp4',
  'async:cache:x.mkv',
  'tab\tand\rcr.mp4',
  '\u202egpm.mp4',
])('%p is only a name', async (name) => {
  expect((await outcome(written(name, mp4))).message).toBe('converted')
})

test('a film that goes on far beyond what its container tells is stopped', async () => {
  const reports = 'for seconds in 60 63; do echo out_time_us=${seconds}000000; echo progress=continue; done'
  const run = {
    command: ['sh', '-c', `${reports}; exec sleep 1000`],
    output_path: join(folder, 'none'),
    environment: process.env,
    timeout_ms: 60_000,
    stall_timeout_ms: 60_000,
    duration_seconds: 1,
    on_progress: () => {},
    signal,
  }
  expect(await caught(encode({ ...run, told_seconds: 1 }))).toMatchObject({
    message: 'it goes on beyond its own length: 1:03 of 0:01',
    report: { class: 'permanent', step: 'encode' },
  })
})

test.each(guards)('under the guard %s a program has no more memory than it is given', async (guard) => {
  const run = { argv: ['sh', '-c', 'ulimit -d'], environment: process.env, timeout_ms: 20_000, signal, guard }
  expect((await runProcess({ ...run, max_memory_bytes: 64 * 1024 ** 2 })).stdout).toBe('65536\n')
})

const oomFile = '/proc/self/oom_score_adj'
const ownScore = existsSync(oomFile) ? Number(readFileSync(oomFile, 'utf8')) : 1000
test.skipIf(ownScore >= 1000)('where memory runs out, a program of ours goes before us', async () => {
  const script = `until [ "$(cat ${oomFile})" -gt ${ownScore} ]; do :; done; echo first`
  const run = { argv: ['sh', '-c', script], environment: process.env, timeout_ms: 20_000, signal }
  expect((await runProcess(run)).stdout).toBe('first\n')
})
