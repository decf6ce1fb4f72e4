import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConversionSettings } from '../../../src/contract/conversion.ts'
import { convert } from '../../../src/pipeline/convert.ts'
import { inputLimits } from '../../../src/pipeline/ffmpeg/input-limits.ts'
import { planPicture } from '../../../src/pipeline/plan/video/picture.ts'
import { probeSource } from '../../../src/pipeline/probe.ts'
import { mainVideo } from '../../../src/pipeline/probe/main-video.ts'
import { findTools, type Tools } from '../../../src/pipeline/tools.ts'
import { measureArgs, measurePicture, requireMetric } from '../../../src/pipeline/verify/measure-picture.ts'
import { conversionIn } from '../../support/conversion.ts'
import { testFfmpegs } from '../../support/ffmpegs.ts'
import { caught, settings, video } from '../samples.ts'

setDefaultTimeout(120_000)
const folder = mkdtempSync(join(tmpdir(), 'darkstream-measure-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const { signal } = new AbortController()
let count = 0
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2']
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '4']
const x265 = ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none:qp=8']
const hdr = 'format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited'

async function made(name: string, ...options: string[]): Promise<string> {
  const path = join(folder, name)
  const child = Bun.spawn(['ffmpeg', '-v', 'error', '-nostdin', '-y', ...options, path], { stderr: 'pipe' })
  if ((await child.exited) !== 0) throw new Error(await child.stderr.text())
  return path
}

/** Sources whose picture goes through another filter each, and what they are converted to. */
const kinds: [what: string, name: string, options: string[], wanted: Partial<ConversionSettings>][] = [
  ['plain', 'plain.mkv', [...picture, ...x264], {}],
  ['of ten bits', 'ten.mkv', [...picture, '-pix_fmt', 'yuv420p10le', ...x265], { codec: 'hevc' }],
  ['of ten bits that become eight', 'ten.mkv', [], {}],
  ['in HDR that is kept', 'hdr.mkv', [...picture, '-vf', hdr, ...x265], { codec: 'hevc' }],
  ['in HDR that is tone-mapped', 'hdr.mkv', [], {}],
  ['of another shape of pixel', 'wide.mkv', [...picture, '-vf', 'setsar=4/3', ...x264], {}],
  ['of odd sides', 'odd.mkv', [...picture, '-vf', 'scale=213:121', '-pix_fmt', 'yuv444p', ...x264], {}],
  ['that is made smaller', 'plain.mkv', [], { target_resolution: { width: 160, height: 160 } }],
  ['of the full range', 'full.mkv', [...picture, '-vf', 'scale=out_range=pc', '-color_range', 'pc', ...x264], {}],
  ['of red, green and blue', 'rgb.mkv', [...picture, '-pix_fmt', 'bgr0', '-c:v', 'ffv1'], {}],
  ['of the old matrix', 'old.mkv', [...picture, '-colorspace', 'smpte170m', ...x264], { codec: 'hevc' }],
  ['with variable times', 'times.mkv', [...picture, '-vf', "select='gt(mod(n,7),2)'", '-fps_mode', 'vfr', ...x264], {}],
  [
    'that is interlaced',
    'lines.mkv',
    [
      [
        '-f',
        'lavfi',
        '-i',
        'testsrc2=size=320x180:rate=50:duration=2',
        '-vf',
        'tinterlace=interleave_top,setfield=tff',
      ],
      ['-flags', '+ilme+ildct', ...x264, '-x264-params', 'tff=1'],
    ].flat(),
    {},
  ],
  ['that begins late', 'late.mkv', [...picture, ...x264, '-output_ts_offset', '7.3'], {}],
  ['in a stream of packets', 'stream.ts', [...picture, ...x264, '-bf', '2'], {}],
  ['in prores', 'plain.mkv', [], { codec: 'prores', container: 'mov' }],
  ['in av1', 'plain.mkv', [], { codec: 'av1' }],
  ['in vp9', 'plain.mkv', [], { codec: 'vp9', container: 'webm', audio_codec: 'opus' }],
]

/** A quarter turn, written as it is in test/support/clips.ts. */
async function turned(): Promise<string> {
  const path = await made('turned.mp4', ...picture, ...x264)
  const bytes = readFileSync(path)
  const matrix = bytes.indexOf('tkhd') + 4 + 40
  ;[0, 0x10000, 0, -0x10000, 0].forEach((value, position) => bytes.writeInt32BE(value, matrix + 4 * position))
  writeFileSync(path, bytes)
  return path
}

function metric(name: 'ssim' | 'xpsnr', minimum: number) {
  return { decode: 'samples', metric: { name, minimum } } as const
}

describe.each(testFfmpegs)('with %s', (_name, ffmpeg_path) => {
  let tools: Tools
  beforeAll(async () => {
    tools = await findTools({ ffmpeg_path, environment: process.env, signal })
  })
  const common = () => ({ tools, environment: process.env, signal })

  async function converted(source_path: string, wanted: Partial<ConversionSettings>) {
    const name = join(folder, `${++count}`)
    const asked = settings({ preset: 'veryfast', bitrate: 4_000_000, verify: metric('ssim', 0), ...wanted })
    const request = conversionIn(name, { source_path, settings: asked, tools })
    return { ...(await convert(request)), staging_path: request.staging_path }
  }

  /** A score of a file against a source, as if the one had been made of the other. */
  async function score(source: string, path: string, name: 'ssim' | 'xpsnr' = 'ssim', frame_count = 50) {
    const info = await probeSource({ ...common(), path: source, source_path: source, timeout_ms: 20_000 })
    return measurePicture({
      ...common(),
      path,
      timeout_ms: 20_000,
      stall_timeout_ms: 20_000,
      metric: { name, minimum: 0 },
      source_path: source,
      picture: planPicture(mainVideo(info), settings()),
      frame_count,
      on_percent: () => {},
    })
  }

  test.each(kinds)('the result of a picture %s is hardly told from it', async (_what, name, options, wanted) => {
    const path = options.length > 0 ? await made(name, ...options) : join(folder, name)
    const { score: measured } = await converted(path, wanted)
    expect(measured?.metric).toBe('ssim')
    expect(measured?.value).toBeGreaterThan(0.98)
  })

  test('the result of a picture that lies on its side is hardly told from it', async () => {
    expect((await converted(await turned(), {})).score?.value).toBeGreaterThan(0.98)
  })

  test('a lossless result is the same', async () => {
    const { score: measured } = await converted(join(folder, 'plain.mkv'), { codec: 'ffv1', container: 'mkv' })
    expect(measured).toEqual({ metric: 'ssim', value: 1 })
  })

  test('another picture is far from it, and so is one that is a frame too late', async () => {
    const plain = join(folder, 'plain.mkv')
    expect(await score(plain, plain)).toEqual({ metric: 'ssim', value: 1 })
    const other = await made('other.mkv', '-f', 'lavfi', '-i', 'mandelbrot=size=320x180:rate=25', '-t', '2', ...x264)
    expect((await score(plain, other)).value).toBeLessThan(0.6)
    const late = await made('shifted.mkv', '-i', plain, '-vf', 'tpad=start=1', '-frames:v', '50', ...x264)
    expect((await score(plain, late)).value).toBeLessThan(0.97)
    const dark = await made('dark.mkv', '-i', plain, '-vf', 'lutyuv=y=val*0.7', ...x264)
    expect((await score(plain, dark)).value).toBeLessThan(0.95)
  })

  test('a result below the minimum is refused with the figures, and nothing of it is left', async () => {
    const wanted = { bitrate: 40_000, verify: metric('ssim', 0.99) }
    const noise = await made('noise.mkv', ...picture, '-vf', 'noise=alls=60:allf=t', ...x264)
    const error = await caught(converted(noise, wanted))
    expect(error).toMatchObject({ report: { class: 'permanent', step: 'verify' } })
    expect(String(error)).toMatch(/its picture reaches ssim 0\.\d+ of the 0\.99 asked for: raise conversion\.bitrate/)
  })

  test('a result with other frames than its source has no score', async () => {
    const plain = join(folder, 'plain.mkv')
    const short = await made('short.mkv', '-i', plain, '-frames:v', '40', ...x264)
    expect(await caught(score(plain, short, 'ssim', 40))).toHaveProperty(
      'message',
      "the picture's ssim cannot be measured: 50 frames were compared, not 40",
    )
  })

  test('a source that changes its size in mid-film has no score', async () => {
    const small = await made('small.h264', '-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25:duration=2', ...x264)
    const path = join(folder, 'two-sizes.h264')
    writeFileSync(
      path,
      Buffer.concat([readFileSync(await made('large.h264', ...picture, ...x264)), readFileSync(small)]),
    )
    expect(await caught(converted(path, {}))).toMatchObject({
      message: "the picture's ssim cannot be measured: its source changes in mid-film",
      report: { class: 'permanent', step: 'verify' },
    })
  })

  test('xpsnr is measured where ffmpeg has it, and else refused before anything is encoded', async () => {
    const plain = join(folder, 'plain.mkv')
    const asked = { verify: metric('xpsnr', 20) }
    const lacks = await caught(requireMetric(asked.verify.metric, common()))
    if (lacks === undefined) {
      expect((await converted(plain, asked)).score).toMatchObject({ metric: 'xpsnr', value: expect.any(Number) })
      expect(await score(plain, plain, 'xpsnr')).toEqual({ metric: 'xpsnr', value: 100 })
      return
    }
    const error = await caught(converted(plain, asked))
    expect(error).toMatchObject({ report: { class: 'worker', step: 'plan' } })
    expect(String(error)).toMatch(/asks for xpsnr, and this ffmpeg \(.+\) has no filter xpsnr: install FFmpeg 7.1/)
  })

  test('vmaf is in none of the builds here, which is told with a remedy', async () => {
    const error = await caught(requireMetric({ name: 'vmaf', minimum: 90 }, common()))
    expect(String(error)).toMatch(/no filter libvmaf: install an ffmpeg that was built with libvmaf/)
  })
})

test('the whole command', () => {
  const source = video({ index: 3, width: 1920, height: 1080 })
  const args = measureArgs({
    path: '/out',
    source_path: '/in',
    picture: planPicture(source, settings()),
    metric: { name: 'vmaf', minimum: 90 },
    frame_count: 50,
    on_percent: () => {},
  })
  const tags = 'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709,settb=1/1000,setpts=N'
  expect(args).toEqual(
    [
      ['-threads', '4', ...inputLimits, '-i', 'file:/out', '-threads', '4', ...inputLimits, '-i', 'file:/in'],
      ['-filter_complex_threads', '2', '-filter_complex'],
      [
        `[0:V:0]scale=in_range=tv:out_range=tv,setsar=1,format=yuv420p,${tags}[result]`,
        `[1:3]scale=w=1920:h=1080,setsar=1,format=yuv420p,${tags}[source]`,
        '[result][source]libvmaf[score]',
      ].join(';'),
      ['-map', '[score]', '-fps_mode:v', 'passthrough', '-f', 'null', '-'],
    ].flat(),
  )
})
