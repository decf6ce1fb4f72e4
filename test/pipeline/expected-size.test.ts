import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import { ffmpegRuns } from '../../src/pipeline/encode/ffmpeg-args.ts'
import { expectedSize } from '../../src/pipeline/expected-size.ts'
import { planConversion } from '../../src/pipeline/plan.ts'
import { cpuPath, type PathCandidate } from '../../src/pipeline/plan/video/paths.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import type { MediaInfo } from '../../src/pipeline/probe/media-info.ts'
import { runProcess } from '../../src/pipeline/process.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { audio, gpu, media, settings, video } from './samples.ts'

setDefaultTimeout(120_000)

function expected(changes: Partial<ConversionSettings>, info: MediaInfo = media(), path?: PathCandidate) {
  const wanted = settings(changes)
  return expectedSize(planConversion(info, wanted, path ?? cpuPath(wanted)), info)
}

/** Bytes of a minute at so many bits per second. */
const minute = (bits: number) => (bits * 60) / 8

describe('a minute of film comes to', () => {
  test('what its tracks take by their rates, and a little for the container', () => {
    const { bytes, ...rest } = expected({})
    expect(bytes).toBeWithin(minute(2_128_000), minute(2_128_000) * 1.005)
    expect(rest).toEqual({ most_bytes: null, reason: null })
  })

  test('more with every track, a copied one by its own rate and length', () => {
    const tracks = [
      video(),
      audio({ codec: 'dts', bit_rate: 1_536_000 }),
      audio({ index: 2, codec: 'ac3', bit_rate: 640_000, duration_seconds: 30 }),
    ]
    const { bytes } = expected({ container: 'mkv', audio_codec: 'copy' }, media(tracks))
    expect(bytes).toBeWithin(minute(3_856_000), minute(3_856_000) * 1.005)
  })

  test('every sample of sound that is written bare', () => {
    const sound = audio({ codec: 'pcm_s24be', channels: 6, channel_layout: '5.1', bit_rate: 6_912_000 })
    const plan = planConversion(media([video(), sound]), settings({ container: 'mkv', audio_codec: 'copy' }))
    expect(plan.audio).toMatchObject([{ encoder: 'pcm_s24le', bitrate: null }])
    const { bytes } = expectedSize(plan, media([video(), { ...sound, bit_rate: null }]))
    expect(bytes).toBeWithin(minute(8_912_000), minute(8_912_000) * 1.005)
  })

  test('no more than its bound, which a quality has too', () => {
    expect(expected({ max_bitrate: 4_000_000 }).most_bytes).toBeWithin(minute(4_128_000), minute(4_128_000) * 1.005)
    const { most_bytes, ...rest } = expected({ quality: 60, max_bitrate: 4_000_000 })
    expect(most_bytes).toBeWithin(minute(4_128_000), minute(4_128_000) * 1.005)
    expect(rest).toEqual({ bytes: null, reason: 'a quality takes the bits that the picture needs' })
  })

  test('no bound where an encoder holds none', () => {
    expect(expected({ codec: 'av1', container: 'mkv', max_bitrate: 4_000_000 }).most_bytes).toBeNull()
  })

  test('what Apple names for its frames as ProRes: 184 Mbit/s at 1080p25', () => {
    const { bytes, most_bytes } = expected({ codec: 'prores', container: 'mov' })
    expect(bytes).toBeWithin(minute(184_000_000), minute(200_000_000))
    expect(most_bytes).toBe(bytes)
  })
})

describe('nobody can tell beforehand', () => {
  const nothing = { bytes: null, most_bytes: null }

  test.each([
    [{ quality: 60 }, media(), 'a quality takes the bits that the picture needs'],
    [{ codec: 'ffv1', container: 'mkv' }, media(), 'ffv1 is lossless and takes what it needs'],
    [{}, media([video({ duration_seconds: null })], { duration_seconds: null }), 'the source does not tell its length'],
    [{}, media([video()], { formats: ['h264'] }), 'the source does not tell its length'],
    [
      { container: 'mkv', audio_codec: 'copy' },
      media([video(), audio({ codec: 'flac', bit_rate: null })]),
      'the rate of a copied audio track is not known',
    ],
    [
      { codec: 'prores', container: 'mov' },
      media([video({ average_rate: null })]),
      'the source does not tell its frame rate',
    ],
  ] as const)('with %o', (changes, info, reason) => {
    expect(expected(changes, info)).toEqual({ ...nothing, reason })
  })

  test('for a GPU whose driver holds no rate', () => {
    const card = gpu()
    const [capability] = card.capabilities
    if (capability === undefined) throw new Error('a card without capabilities')
    const proof = { ...capability, rate_control: 'cqp' } as const
    const path = { ...cpuPath({ codec: 'h264' }), encoder: 'h264_vulkan', device: 'Card', gpu: card, proof } as const
    const reason = "this driver's h264_vulkan holds no rate"
    expect(expected({ max_bitrate: 4_000_000 }, media(), path)).toEqual({ ...nothing, reason })
  })
})

describe('a real conversion comes near it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-size-'))
  const { signal } = new AbortController()
  const source = join(folder, 'source.mkv')
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  async function ffmpeg(args: readonly string[]): Promise<void> {
    const argv = ['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', ...args]
    const { exit_code, stderr_tail } = await runProcess({ argv, environment: process.env, timeout_ms: 60_000, signal })
    if (exit_code !== 0) throw new Error(stderr_tail)
  }

  beforeAll(async () => {
    const noise = 'testsrc2=size=256x144:rate=25:duration=6,noise=alls=20:allf=t'
    const sounds = ['-f', 'lavfi', '-i', 'anoisesrc=duration=6', '-map', '0', '-map', '1', '-map', '1']
    const codecs = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-c:a', 'ac3', '-b:a', '192k']
    await ffmpeg(['-f', 'lavfi', '-i', noise, ...sounds, ...codecs, source])
  })

  test.each([
    ['h264', 'mp4', 'aac', 0.06],
    ['h264', 'mkv', 'copy', 0.06],
    ['hevc', 'mp4', 'opus', 0.15],
    ['vp9', 'webm', 'opus', 0.15],
    ['prores', 'mov', 'aac', 0.15],
  ] as const)('as %s in %s with %s', async (codec, container, audio_codec, tolerance) => {
    const tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
    const { info } = await readMediaInfo({ path: source, tools, environment: process.env, timeout_ms: 20_000, signal })
    const wanted = settings({ codec, container, audio_codec, bitrate: 800_000, preset: 'ultrafast', two_pass: true })
    const plan = planConversion(info, wanted)
    const output = join(folder, `result.${container}`)
    for (const run of ffmpegRuns(plan, { input: source, output, work_folder: folder })) await ffmpeg(run)
    const { bytes } = expectedSize(plan, info)
    expect(statSync(output).size / (bytes ?? 0)).toBeWithin(1 - tolerance, 1 + tolerance)
  })
})
