import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversionSettings } from '../../../src/contract/conversion.ts'
import { convert } from '../../../src/pipeline/convert.ts'
import { findTools } from '../../../src/pipeline/tools.ts'
import { conversionIn } from '../../support/conversion.ts'
import { testFfmpegs } from '../../support/ffmpegs.ts'
import { settings } from '../samples.ts'

setDefaultTimeout(120_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-healthy-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()
let count = 0

async function made(...options: string[]): Promise<string> {
  const path = join(folder, `source-${++count}.mkv`)
  const child = Bun.spawn(['ffmpeg', '-v', 'error', '-nostdin', '-y', ...options, path], { stderr: 'pipe' })
  if ((await child.exited) !== 0) throw new Error(await child.stderr.text())
  return path
}

async function convertedBy(ffmpeg_path: string, source_path: string, wanted: Partial<ConversionSettings>) {
  const name = join(folder, `${++count}`)
  const tools = await findTools({ ffmpeg_path, environment: process.env, signal })
  const asked = settings({ preset: 'veryfast', bitrate: 400_000, ...wanted })
  return convert(conversionIn(name, { source_path, settings: asked, tools }))
}

const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=192x108:rate=25:duration=3']
const sound = ['-f', 'lavfi', '-i', 'sine=duration=3:sample_rate=48000']
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
const codecs = [
  ['h264', 'mp4', 'aac'],
  ['hevc', 'mkv', 'opus'],
  ['hevc', 'mp4', 'aac'],
  ['av1', 'mp4', 'opus'],
  ['vp9', 'webm', 'opus'],
  ['ffv1', 'mkv', 'copy'],
  ['prores', 'mov', 'aac'],
] as const

describe.each(testFfmpegs)('healthy results of %s pass', (_name, ffmpeg) => {
  const noisy = made(...picture, ...sound, '-vf', 'noise=alls=8:allf=t', ...x264, '-c:a', 'aac')

  // Both ways decode all of so short a film.
  test.each(codecs)('%s in %s with %s', async (codec, container, audio_codec) => {
    await convertedBy(ffmpeg, await noisy, { codec, container, audio_codec })
  })

  test.each([
    ['of ten bits', ['-pix_fmt', 'yuv420p10le', '-c:v', 'ffv1']],
    ['of sides that are no multiple of eight', ['-vf', 'scale=182:102', '-c:v', 'ffv1']],
  ])('hevc with a hash in each picture, %s', async (_what, options) => {
    const source = await made(...picture, ...options)
    await convertedBy(ffmpeg, source, { codec: 'hevc', verify: { decode: 'full', metric: null } })
  })

  test.each(['ac3', 'eac3', 'libmp3lame', 'mp2', 'flac', 'pcm_s16le', 'dca', 'truehd', 'libvorbis', 'alac'])(
    'a copied track of %s',
    async (encoder) => {
      const source = await made(...picture, ...sound, ...x264, '-c:a', encoder, '-ac', '2', '-strict', '-2')
      const verify = { decode: 'full', metric: null } as const
      expect(await convertedBy(ffmpeg, source, { container: 'mkv', audio_codec: 'copy', verify })).toBeDefined()
    },
  )

  test.each([
    ['h264', 'mp4'],
    ['av1', 'mp4'],
    ['vp9', 'mkv'],
  ] as const)('%s in %s with a cover, which is no film, by its score too', async (codec, container) => {
    const cover = join(folder, 'cover.png')
    const one = ['-f', 'lavfi', '-i', 'testsrc=size=100x100', '-frames:v', '1']
    await Bun.spawn(['ffmpeg', '-v', 'error', '-nostdin', '-y', ...one, cover]).exited
    const attached = ['-attach', cover, '-metadata:s:t', 'mimetype=image/png', '-metadata:s:t', 'filename=cover.png']
    const source = await made(...picture, ...x264, ...attached)
    const verify = { decode: 'full', metric: { name: 'ssim', minimum: 0.5 } } as const
    const { notes, score } = await convertedBy(ffmpeg, source, { codec, container, verify })
    expect({ notes, isGood: (score?.value ?? 0) > 0.9 }).toEqual({ notes: [], isGood: true })
  })

  test('a film of two minutes, which is looked at here and there', async () => {
    const size = 'testsrc2=size=64x48:rate=10:duration=125'
    const source = await made('-f', 'lavfi', '-i', size, '-f', 'lavfi', '-i', 'sine=duration=125', ...x264)
    await convertedBy(ffmpeg, source, { codec: 'hevc', container: 'mkv' })
    await convertedBy(ffmpeg, source, { codec: 'h264', container: 'mp4' })
    await convertedBy(ffmpeg, source, { codec: 'vp9', container: 'webm', audio_codec: 'opus' })
  })
})
