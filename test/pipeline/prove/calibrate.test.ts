import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type CalibrationRequest, calibrate, knownFigures } from '../../../src/pipeline/prove/calibrate.ts'
import { findTools } from '../../../src/pipeline/tools.ts'
import { lacks, vulkanFfmpeg } from '../../support/vulkan.ts'
import { caught, settings } from '../samples.ts'
import { gpu, proved, script } from './samples.ts'

setDefaultTimeout(120_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-calibrate-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()
const find = (ffmpeg_path: string) => findTools({ ffmpeg_path, environment: process.env, signal })
const small = settings({ preset: 'ultrafast', target_resolution: { width: 320, height: 180 } })

async function request(ffmpeg: string, more: Partial<CalibrationRequest> = {}): Promise<CalibrationRequest> {
  const source = { codec: 'h264', bit_depth: 8, size_class: 'sd' } as const
  const common = { environment: process.env, signal, cache_folder: mkdtempSync(join(folder, 'cache-')) }
  const times = { window_ms: 500, cap_ms: 4000 }
  return { tools: await find(ffmpeg), gpus: [], settings: small, source, concurrency: 2, ...common, ...times, ...more }
}

test('the path on the CPU is measured, once', async () => {
  const asked = await request('ffmpeg')
  const count = join(folder, 'count')
  const temporary_folder = mkdtempSync(join(folder, 'tmp-'))
  const seen = join(folder, 'seen')
  const lines = [`echo >>'${count}'`, `ls '${temporary_folder}' >'${seen}'`, `exec '${asked.tools.ffmpeg_path}' "$@"`]
  const tools = { ...asked.tools, ffmpeg_path: script(join(folder, 'counting-ffmpeg'), lines) }
  const figures = await calibrate({ ...asked, tools, temporary_folder })
  expect(figures).toEqual([
    {
      decode: 'cpu',
      filter: 'cpu',
      encoder: 'libx264',
      device: null,
      gpu_id: null,
      source_codec: 'h264',
      bit_depth: 8,
      size_class: 'sd',
      codec: 'h264',
      processes: 2,
      fps: expect.any(Number),
      cpu_ms_per_frame: expect.any(Number),
      start_ms: expect.any(Number),
      reason: null,
    },
  ])
  expect(figures[0]?.fps).toBeGreaterThan(1)
  // The clip, and two conversions.
  expect(readFileSync(count, 'utf8')).toHaveLength(3)
  expect(await calibrate({ ...asked, tools })).toEqual(figures)
  expect(readFileSync(count, 'utf8')).toHaveLength(3)
  expect(readFileSync(seen, 'utf8')).toMatch(/^darkstream-calibrate-\w+\n$/)
  expect(readdirSync(temporary_folder)).toEqual([])
})

test('what this ffmpeg has no encoder of is measured with h264, and called by its name', async () => {
  const source = { codec: 'mpeg2video', bit_depth: 8, size_class: 'sd' } as const
  const [figure] = await calibrate(await request('ffmpeg', { source, concurrency: 1 }))
  expect(figure).toMatchObject({ source_codec: 'mpeg2video', processes: 1, reason: null })
})

test('a conversion that stands still has a reason and no speed', async () => {
  const asked = await request('ffmpeg', { concurrency: 1, cap_ms: 1500 })
  const ffmpeg_path = script(join(folder, 'hanging-ffmpeg'), [
    `case " $* " in *" -stream_loop "*) printf 'frame=7\\nprogress=continue\\n'; kill -STOP $$ ;; esac`,
    `exec '${asked.tools.ffmpeg_path}' "$@"`,
  ])
  const [figure] = await calibrate({ ...asked, tools: { ...asked.tools, ffmpeg_path } })
  expect(figure).toMatchObject({ fps: null, cpu_ms_per_frame: null, reason: 'it stood still after 7 frames' })
  // A machine that was busy is no verdict.
  expect(await knownFigures({ ...asked, tools: { ...asked.tools, ffmpeg_path } })).toBeUndefined()
})

test('without any clip there are no figures, and an abort is thrown', async () => {
  const asked = await request('ffmpeg')
  const tools = { ...asked.tools, ffmpeg_path: 'false' }
  const failure = await caught(calibrate({ ...asked, tools }))
  expect((failure as Error).message).toStartWith('there is no clip to measure with: ')
  const aborted = AbortSignal.abort(new Error('enough'))
  expect(await caught(calibrate({ ...asked, signal: aborted }))).toHaveProperty('message', 'enough')
})

test.skipIf(lacks('ffmpeg_vulkan'))('each path of a GPU is measured, and one that fails has a reason', async () => {
  const device = gpu([proved('decode', 'ffv1', 8), proved('filter', null, 8), proved('encode', 'h264', 8)])
  const source = { codec: 'ffv1', bit_depth: 8, size_class: 'sd' } as const
  const asked = await request(vulkanFfmpeg() ?? '', { gpus: [device], source, cap_ms: 30_000 })
  const figures = await calibrate(asked)
  const told = figures.map(({ decode, filter, encoder, processes, fps }) => ({
    path: `${decode} ${filter} ${encoder}`,
    processes,
    works: fps !== null && fps > 0,
  }))
  expect(told).toEqual([
    { path: 'cpu vulkan h264_vulkan', processes: 2, works: false },
    { path: 'cpu cpu h264_vulkan', processes: 2, works: false },
    { path: 'vulkan vulkan libx264', processes: 1, works: true },
    { path: 'vulkan cpu libx264', processes: 1, works: true },
    { path: 'cpu cpu libx264', processes: 2, works: true },
  ])
  expect(figures[0]?.reason).toMatch(/h264_vulkan/)
  expect(figures[2]).toMatchObject({ device: 'llvmpipe', gpu_id: 'vulkan:0' })
})
