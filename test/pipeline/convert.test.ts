import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { Progress } from '../../src/contract/job.ts'
import { convert, type ConvertRequest } from '../../src/pipeline/convert.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import { runProcess } from '../../src/pipeline/process.ts'
import { SkippedError } from '../../src/pipeline/skipped-error.ts'
import { findTools, type Tools } from '../../src/pipeline/tools.ts'
import { type ClipName, useClips } from '../support/clips.ts'
import { conversionIn } from '../support/conversion.ts'
import { caught, settings } from './samples.ts'

setDefaultTimeout(60_000)
const clips = useClips()
const { signal } = new AbortController()
const limits = { encode_timeout_ms: 60_000, probe_timeout_ms: 20_000, stall_timeout_ms: 20_000 }
const rooms = join(clips.folder, 'rooms')
let tools: Tools
let count = 0

beforeAll(async () => {
  tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
})
afterEach(() => {
  const left = existsSync(rooms) ? readdirSync(rooms).filter((name) => name.startsWith('work')) : []
  expect(left).toEqual([])
})

/** A request with places of its own. */
function request(source_path: string, wanted: Partial<ConversionSettings> = {}): ConvertRequest {
  count++
  return conversionIn(rooms, {
    source_path,
    staging_path: join(rooms, `attempt-${count}`, 'out'),
    work_path: join(rooms, `work-${count}`),
    settings: settings({ preset: 'ultrafast', bitrate: 300_000, ...wanted }),
    tools,
    limits,
  })
}

async function converted(source: string, wanted: Partial<ConversionSettings> = {}) {
  const asked = request(source, wanted)
  const result = await convert(asked)
  const { info } = await readMediaInfo({
    path: asked.staging_path,
    tools,
    environment: process.env,
    timeout_ms: 20_000,
    signal,
  })
  return { ...result, info, path: asked.staging_path }
}

async function failed(source: string, changes: Partial<ConvertRequest> = {}) {
  const asked = { ...request(source), ...changes }
  const error = await caught(convert(asked))
  expect(existsSync(dirname(asked.staging_path))).toBe(false)
  return error
}

/** Times of all pictures, in seconds from the first. */
async function frameTimes(path: string): Promise<number[]> {
  const argv = [
    tools.ffprobe_path,
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'frame=pts_time',
    '-of',
    'csv=p=0',
    path,
  ]
  const { stdout } = await runProcess({ argv, environment: process.env, timeout_ms: 20_000, signal })
  const times = stdout
    .split('\n')
    .map(Number.parseFloat)
    .filter((time) => !Number.isNaN(time))
  return times.map((time) => Math.round((time - (times[0] ?? 0)) * 1000) / 1000)
}

describe('a plain clip becomes', () => {
  test.each([
    ['h264', 'aac', 'mp4', 'h264', 'aac'],
    ['hevc', 'opus', 'mp4', 'hevc', 'opus'],
    ['av1', 'copy', 'mkv', 'av1', 'aac'],
    ['vp9', 'opus', 'webm', 'vp9', 'opus'],
    ['ffv1', 'copy', 'mkv', 'ffv1', 'aac'],
    ['prores', 'aac', 'mov', 'prores', 'aac'],
  ] as const)('%s with %s in %s', async (codec, audio_codec, container, videoCodec, audioCodec) => {
    const { info, ...result } = await converted(await clips.path('plain.mp4'), { codec, audio_codec, container })
    expect(info.streams).toMatchObject([
      { kind: 'video', codec: videoCodec, width: 320, height: 180 },
      { kind: 'audio', codec: audioCodec },
    ])
    expect(result).toMatchObject({ output_size: info.size_bytes, source_duration: 1, notes: [] })
    expect(await frameTimes(result.path)).toHaveLength(25)
  })
})

describe('what makes a source odd is kept or put right', () => {
  test.each(['h264', 'hevc', 'av1', 'vp9'] as const)(
    '%s keeps every frame of a variable rate at its time',
    async (codec) => {
      const source = await clips.path('variable-rate.mkv')
      const { path } = await converted(source, { codec, container: 'mkv' })
      expect(await frameTimes(path)).toEqual(await frameTimes(source))
    },
  )

  test('a picture that is stored lying down comes out upright', async () => {
    const { info } = await converted(await clips.path('turned.mp4'))
    expect(info.streams).toMatchObject([{ width: 180, height: 320, rotation: 0 }])
  })

  test('an interlaced picture comes out progressive, with as many frames', async () => {
    const { info, path } = await converted(await clips.path('interlaced.mkv'))
    expect(info.streams).toMatchObject([{ is_interlaced: false }])
    expect(await frameTimes(path)).toHaveLength(25)
  })

  test('hevc keeps ten bits and the tags of HDR', async () => {
    const { info, notes } = await converted(await clips.path('hdr.mkv'), { codec: 'hevc' })
    const color = { range: 'tv', primaries: 'bt2020', transfer: 'smpte2084', matrix: 'bt2020nc' }
    expect(info.streams).toMatchObject([{ bit_depth: 10, color }])
    expect(notes).toEqual([])
  })

  test('every sound track is kept, with its language', async () => {
    const { info } = await converted(await clips.path('two-sounds.mkv'), { audio_codec: 'opus', container: 'mkv' })
    expect(info.streams).toMatchObject([
      { kind: 'video' },
      { codec: 'opus', channels: 6, channel_layout: '5.1', language: 'deu' },
      { codec: 'opus', channels: 1 },
    ])
  })
})

describe('what cannot be converted ends in a sentence', () => {
  test.each([
    ['zero.mp4', '', 'the file is empty'],
    ['text.mp4', 'This is not a video.\n', 'not a video: no known video format'],
    [
      'list.mp4',
      '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1.0,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n',
      'a playlist or a script that names other files, not a video',
    ],
    [
      'concat.mp4',
      "ffconcat version 1.0\nfile 'plain.mp4'\n",
      'a playlist or a script that names other files, not a video',
    ],
  ])('%s', async (name, content, message) => {
    const path = join(clips.folder, name)
    writeFileSync(path, content)
    expect(await failed(path)).toMatchObject({ message, report: { step: 'probe', class: 'permanent' } })
  })

  test('only sound', async () => {
    const message = 'no video stream, only audio'
    expect(await failed(await clips.path('sound-only.mp4'))).toMatchObject({ message, report: { class: 'permanent' } })
  })

  test('a folder, a missing file, and a missing folder, which another worker may have', async () => {
    expect(await failed(clips.folder)).toHaveProperty('message', 'a folder, not a file')
    expect(await failed(join(clips.folder, 'gone.mp4'))).toMatchObject({
      message: 'the file is not there any more',
      report: { class: 'permanent' },
    })
    expect(await failed(join(clips.folder, 'unmounted', 'film.mp4'))).toMatchObject({
      message: 'its folder is not there: is the storage mounted on this worker?',
      report: { class: 'worker' },
    })
  })

  test.each([
    ['plain.mkv', /^truncated: ends at 0:00 of 0:01$/],
    ['plain.mp4', /^(damaged|truncated)/],
    ['index-last.mp4', /^truncated or never finished: its index \(moov atom\) is missing$/],
  ] as const)('%s, cut off at six tenths, is never a success', async (name: ClipName, message) => {
    const path = join(clips.folder, `cut-${name}`)
    copyFileSync(await clips.path(name), path)
    truncateSync(path, Math.floor(readFileSync(path).length * 0.6))
    expect(await failed(path)).toMatchObject({
      message: expect.stringMatching(message),
      report: { class: 'permanent' },
    })
  })

  test('a film with rotten bytes is never a success', async () => {
    const bytes = readFileSync(await clips.path('plain.mp4'))
    for (const share of [0.4, 0.5, 0.6, 0.7]) {
      const start = Math.floor(bytes.length * share)
      bytes.fill(0xa5, start, start + 200)
    }
    const path = join(clips.folder, 'rotten.mp4')
    writeFileSync(path, bytes)
    const error = await failed(path)
    expect(error).toMatchObject({ report: { step: 'encode', class: 'permanent', command: expect.any(Array) } })
    expect(error).toHaveProperty('message', expect.stringMatching(/^damaged: /))
  })
})

describe('an output folder that cannot be written', () => {
  test('because a file is in its place', async () => {
    const path = join(clips.folder, 'a-file')
    writeFileSync(path, '')
    expect(await failed(await clips.path('plain.mp4'), { staging_path: join(path, 'attempt', 'out') })).toMatchObject({
      message: 'the output folder cannot be written: a part of its path is a file, not a folder',
      report: { step: 'stage', class: 'worker' },
    })
  })

  test.skipIf(process.getuid?.() === 0)('because it is not ours', async () => {
    const source = await clips.path('plain.mp4')
    expect(await failed(source, { staging_path: '/darkstream-attempt/out' })).toMatchObject({
      message: 'the output folder cannot be written: permission denied',
      report: { step: 'stage', class: 'worker' },
    })
  })
})

test.each([
  'with space',
  "it's",
  'new\nline.mp4',
  '-i',
  '%03d.png',
  'concat:a|b.mp4',
  'http:x.mp4',
  'ü-日本-🎬.mp4',
  'back\\slash',
  '$(id)`id`.mp4',
  '"quoted".mp4',
  '[0:v];a=b,c.mp4',
])('%p is only a name', async (name) => {
  mkdirSync(join(clips.folder, 'names'), { recursive: true })
  const path = join(clips.folder, 'names', name)
  copyFileSync(await clips.path('plain.mp4'), path)
  expect((await converted(path)).info.streams).toHaveLength(2)
})

test('progress goes from probe through plan and encode to verify, and says what the encode runs on', async () => {
  const said: Progress[] = []
  await convert({ ...request(await clips.path('plain.mp4')), on_progress: (progress) => said.push(progress) })
  expect(new Set(said.map((progress) => progress.step))).toEqual(
    new Set(['probe', 'plan', 'encode', 'verify'] as const),
  )
  expect(said.find(({ step }) => step === 'encode')?.runs_on).toMatchObject({ encoder: 'libx264', device: null })
  expect(said.at(-1)).toMatchObject({ step: 'verify', percent: 100 })
})

test('what a source is and how it was converted are told with the result, and with a skip, of which nothing is left', async () => {
  const source = await clips.path('plain.mp4')
  const asked = request(source, { codec: 'hevc' })
  const { source_facts, profile, settings: used, score } = await convert(asked)
  const size = Bun.file(source).size
  expect(source_facts).toMatchObject({ codec: 'h264', width: 320, height: 180, is_hdr: false, format: 'mov' })
  expect(source_facts?.bit_rate).toBe(Math.round((8 * size) / (source_facts?.duration_seconds ?? 0)))
  expect({ profile, used, score }).toEqual({ profile: null, used: asked.settings, score: null })

  const stopped = request(source, { codec: 'hevc' })
  const error = await caught(
    convert({
      ...stopped,
      on_progress({ step }) {
        if (step === 'verify') throw new SkippedError('the result has 104% of the size of the source')
      },
    }),
  )
  expect(error).toBeInstanceOf(SkippedError)
  expect(error).toMatchObject({
    message: 'the result has 104% of the size of the source',
    record: { source_facts, profile, settings: used },
    ran_on: { encoder: 'libx265', fell_back: false },
  })
  expect(existsSync(dirname(stopped.staging_path))).toBe(false)
})

test('a cancelled encode ends with the reason and leaves nothing', async () => {
  const controller = new AbortController()
  const reason = new Error('cancelled')
  const error = await failed(await clips.path('long.mp4'), {
    settings: settings({ codec: 'vp9', preset: 'veryslow', container: 'webm', audio_codec: 'opus' }),
    signal: controller.signal,
    on_progress: (progress) => {
      if (progress.step === 'encode') controller.abort(reason)
    },
  })
  expect(error).toBe(reason)
})
