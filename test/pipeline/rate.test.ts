import { afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { Progress } from '../../src/contract/job.ts'
import { convert, type ConvertRequest } from '../../src/pipeline/convert.ts'
import { runProcess } from '../../src/pipeline/process.ts'
import { SkippedError } from '../../src/pipeline/skipped-error.ts'
import { findTools, type Tools } from '../../src/pipeline/tools.ts'
import { useClips } from '../support/clips.ts'
import { conversionIn } from '../support/conversion.ts'
import { vulkanFfmpeg } from '../support/vulkan.ts'
import { caught, settings } from './samples.ts'

setDefaultTimeout(120_000)
const clips = useClips()
const { signal } = new AbortController()
const rooms = join(clips.folder, 'rooms')
/** The system's, and a newer one with other versions of all encoders where there is one. */
const versions = [...new Set(['ffmpeg', vulkanFfmpeg() ?? 'ffmpeg'])]
const tools = new Map<string, Tools>()
let count = 0

beforeAll(async () => {
  for (const version of versions) {
    tools.set(version, await findTools({ ffmpeg_path: version, environment: process.env, signal }))
  }
})
afterEach(() => {
  const left = existsSync(rooms) ? readdirSync(rooms).filter((name) => name.startsWith('work')) : []
  expect(left).toEqual([])
})

function request(source_path: string, wanted: Partial<ConversionSettings>, version = 'ffmpeg'): ConvertRequest {
  const found = tools.get(version)
  if (found === undefined) throw new Error(`no ${version}`)
  count++
  return conversionIn(rooms, {
    source_path,
    staging_path: join(rooms, `attempt-${count}`, 'out'),
    // A path may hold what means something to x265.
    work_path: join(rooms, `work ${count}:it's=a,b`),
    settings: settings({ preset: 'ultrafast', bitrate: 300_000, ...wanted }),
    tools: found,
  })
}

async function ffmpeg(...args: string[]): Promise<string> {
  const argv = ['ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...args]
  const { exit_code, stderr_tail, stdout } = await runProcess({
    argv,
    environment: process.env,
    timeout_ms: 60_000,
    signal,
  })
  if (exit_code !== 0) throw new Error(stderr_tail)
  return stdout
}

/** A clip with sound in front of the picture, four seconds of detail that moves; made when it is first asked for. */
async function detail(): Promise<string> {
  const path = join(clips.folder, 'detail.mkv')
  const zoom = 'mandelbrot=size=256x144:rate=25:start_scale=0.6:end_scale=0.002:end_pts=100'
  const inputs = ['-f', 'lavfi', '-i', zoom, '-f', 'lavfi', '-i', 'sine=duration=4']
  const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '12', '-pix_fmt', 'yuv420p', '-c:a', 'aac']
  if (!existsSync(path)) await ffmpeg(...inputs, '-t', '4', '-map', '1', '-map', '0', ...codecs, path)
  return path
}

/** Bytes of each picture, with its time in seconds. */
async function pictures(path: string): Promise<{ seconds: number; bytes: number }[]> {
  const fields = ['-select_streams', 'v:0', '-show_entries', 'packet=pts_time,size', '-of', 'csv=p=0']
  const argv = [tools.get('ffmpeg')?.ffprobe_path ?? '', '-v', 'error', ...fields, path]
  const { stdout } = await runProcess({ argv, environment: process.env, timeout_ms: 20_000, signal })
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split(',').map(Number))
  return rows.map(([seconds = 0, bytes = 0]) => ({ seconds, bytes }))
}

/** Bits per second of the picture: on average, and in the heaviest two seconds. */
async function ratesOf(path: string): Promise<{ mean: number; peak: number }> {
  const all = (await pictures(path)).toSorted((a, b) => a.seconds - b.seconds)
  const bits = (from: number, to: number) =>
    8 * all.filter(({ seconds }) => seconds >= from && seconds < to).reduce((sum, { bytes }) => sum + bytes, 0)
  const peak = Math.max(...all.map(({ seconds }) => bits(seconds, seconds + 2) / 2))
  return { mean: bits(0, Infinity) / (all.length / 25), peak }
}

const targets = [
  ['h264', 'mp4', 'aac'],
  ['hevc', 'mp4', 'aac'],
  ['av1', 'mkv', 'opus'],
  ['vp9', 'webm', 'opus'],
] as const

describe.each(versions)('max_bitrate, by %s,', (version) => {
  test.each(targets)('holds the peaks of a quality in %s', async (codec, container, audio_codec) => {
    const most = 600_000
    const asked = request(await detail(), { codec, container, audio_codec, quality: 80, max_bitrate: most }, version)
    const { notes } = await convert(asked)
    const { mean, peak } = await ratesOf(asked.staging_path)
    // Four seconds have room for what the buffer holds; free, each takes more than twice as much.
    expect(mean).toBeWithin(most * 0.5, most * 1.25)
    expect(peak).toBeLessThan(most * 1.5)
    expect(notes).toEqual([])
  })
})

test.each(versions)(
  'by %s, av1 is encoded to a bitrate with a bound too, and says that it was not held',
  async (version) => {
    const asked = { codec: 'av1', container: 'mkv', max_bitrate: 400_000 } as const
    const { notes } = await convert(request(await detail(), asked, version))
    expect(notes).toEqual(['max_bitrate was not held: libsvtav1 takes it beside a quality only'])
  },
)

describe.each(versions)('two passes by %s', (version) => {
  test.each([
    ['h264', 'mp4', 'aac', 'rc=2pass'],
    ['hevc', 'mp4', 'aac', 'stats-read=2'],
    ['vp9', 'webm', 'opus', null],
  ] as const)('make of %s one result, and progress that only grows', async (codec, container, audio_codec, mark) => {
    const said: Progress[] = []
    const wanted = { codec, container, audio_codec, two_pass: true } as const
    const asked = request(await detail(), wanted, version)
    const { notes } = await convert({ ...asked, on_progress: (news) => said.push(news) })
    expect(notes).toEqual([])
    expect((await ratesOf(asked.staging_path)).mean).toBeWithin(240_000, 400_000)
    // What these two write of their settings into the picture.
    if (mark !== null) expect(readFileSync(asked.staging_path).includes(mark)).toBe(true)
    const percents = said.filter(({ step }) => step === 'encode').map(({ percent }) => percent ?? 0)
    expect(percents).toEqual(percents.toSorted((a, b) => a - b))
    expect(percents.some((percent) => percent > 0 && percent <= 50)).toBe(true)
    expect(percents.at(-1)).toBeGreaterThan(95)
  })
})

describe.each(versions)('two passes by %s, of what is odd:', (version) => {
  test('frames of a variable rate keep their times', async () => {
    const source = await clips.path('variable-rate.mkv')
    for (const codec of ['h264', 'hevc', 'vp9'] as const) {
      const wanted = { codec, container: 'mkv', two_pass: true, bitrate: 200_000 } as const
      const twice = request(source, wanted, version)
      await convert(twice)
      const once = request(source, { ...wanted, two_pass: false }, version)
      await convert(once)
      const times = async (path: string) =>
        (await pictures(path)).map(({ seconds }) => seconds).toSorted((a, b) => a - b)
      expect(await times(twice.staging_path)).toEqual(await times(once.staging_path))
    }
  })

  test('a bare stream without a container', async () => {
    const source = join(clips.folder, 'bare.h264')
    await ffmpeg('-i', await clips.path('plain.mp4'), '-an', '-c', 'copy', '-f', 'h264', source)
    const asked = request(source, { codec: 'vp9', container: 'mkv', two_pass: true }, version)
    await convert(asked)
    expect(await pictures(asked.staging_path)).toHaveLength(25)
  })

  test('a film that comes after its sound, with a cover', async () => {
    const source = join(clips.folder, 'with-cover.mp4')
    const cover = ['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=1:duration=1']
    const tracks = [
      '-map',
      '0:a',
      '-map',
      '0:v',
      '-map',
      '1',
      '-c',
      'copy',
      '-c:v:1',
      'png',
      '-disposition:v:1',
      'attached_pic',
    ]
    await ffmpeg('-i', await detail(), ...cover, ...tracks, source)
    for (const codec of ['h264', 'hevc', 'vp9'] as const) {
      const asked = request(source, { codec, two_pass: true }, version)
      await convert(asked)
      expect(await pictures(asked.staging_path)).toHaveLength(100)
    }
  })

  test('a single frame', async () => {
    const source = join(clips.folder, 'one.mkv')
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=size=128x72', '-frames:v', '1', '-c:v', 'libx264', source)
    for (const codec of ['h264', 'hevc', 'vp9'] as const) {
      const asked = request(source, { codec, container: 'mkv', two_pass: true }, version)
      await convert(asked)
      expect(await pictures(asked.staging_path)).toHaveLength(1)
    }
  })
})

describe('the first of two passes', () => {
  test('ends by a cancel, which leaves nothing', async () => {
    const controller = new AbortController()
    const reason = new Error('cancelled')
    const wanted = { codec: 'vp9', preset: 'veryslow', container: 'webm', audio_codec: 'opus', two_pass: true } as const
    const asked = request(await clips.path('long.mp4'), wanted)
    const percents: (number | null)[] = []
    const on_progress = ({ step, percent }: Progress) => {
      if (step !== 'encode') return
      percents.push(percent)
      if (percents.length === 2) controller.abort(reason)
    }
    expect(await caught(convert({ ...asked, signal: controller.signal, on_progress }))).toBe(reason)
    expect(Math.max(...percents.map((percent) => percent ?? 0))).toBeLessThan(50)
    expect(existsSync(dirname(asked.staging_path))).toBe(false)
  })

  test('fails as an only one does, with its own command', async () => {
    const bytes = readFileSync(await clips.path('plain.mp4'))
    for (const share of [0.4, 0.5, 0.6, 0.7]) {
      const start = Math.floor(bytes.length * share)
      bytes.fill(0xa5, start, start + 200)
    }
    const path = join(clips.folder, 'rotten.mp4')
    writeFileSync(path, bytes)
    expect(await caught(convert(request(path, { two_pass: true })))).toMatchObject({
      message: expect.stringMatching(/^damaged: /),
      report: { step: 'encode', class: 'permanent', command: expect.arrayContaining(['-pass', '1', 'null']) },
    })
  })
})

describe('max_size_ratio', () => {
  test('lets a result pass that is smaller, and skips the same one where it is not', async () => {
    const source = await detail()
    const asked = request(source, { max_size_ratio: 0.9 })
    const { output_size } = await convert(asked)
    const ratio = output_size / statSync(source).size
    const again = request(source, { max_size_ratio: Math.floor(ratio * 1000) / 1000 })
    const error = await caught(convert(again))
    expect(error).toBeInstanceOf(SkippedError)
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(/^the result is 0\.\d\d times its source \(.*\), and max_size_ratio is 0\.\d+$/),
    )
    expect(existsSync(dirname(again.staging_path))).toBe(false)
  })

  test('ends an encode as soon as it has outgrown its source, far from its end', async () => {
    const source = join(clips.folder, 'small.mp4')
    await ffmpeg(
      '-f',
      'lavfi',
      '-i',
      'testsrc2=size=256x144:rate=25:duration=40',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-crf',
      '50',
      source,
    )
    const percents: number[] = []
    const asked = request(source, { codec: 'hevc', preset: 'slow', quality: 95, max_size_ratio: 0.9 })
    const on_progress = ({ percent }: Progress) => percents.push(percent ?? 0)
    const error = await caught(convert({ ...asked, on_progress }))
    expect(error).toBeInstanceOf(SkippedError)
    expect(error).toHaveProperty(
      'message',
      expect.stringMatching(
        /^the result (has grown to|would be) \d+\.\d\d times its source \(.*\).*, and max_size_ratio is 0\.9$/,
      ),
    )
    expect(Math.max(...percents)).toBeLessThan(60)
    expect(existsSync(dirname(asked.staging_path))).toBe(false)
  })

  test('lets a film pass whose beginning takes nearly all of it', async () => {
    const source = join(clips.folder, 'front-heavy.mkv')
    const noise = 'testsrc2=size=160x90:rate=25:duration=6,noise=alls=60:allf=t'
    const black = 'color=black:size=160x90:rate=25:duration=24'
    const joined = ['-filter_complex', '[0][1]concat', '-c:v', 'libx264', '-preset', 'ultrafast', '-crf', '18']
    await ffmpeg('-f', 'lavfi', '-i', noise, '-f', 'lavfi', '-i', black, ...joined, '-pix_fmt', 'yuv420p', source)
    const asked = request(source, { quality: 60, preset: 'medium', max_size_ratio: 0.95 })
    const { output_size } = await convert(asked)
    expect(output_size / statSync(source).size).toBeWithin(0.3, 0.9)
  })
})
