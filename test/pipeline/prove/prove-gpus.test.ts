import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Gpu } from '../../../src/contract/gpu.ts'
import { type ProveGpusRequest, proveGpus } from '../../../src/pipeline/prove/prove-gpus.ts'
import { findTools } from '../../../src/pipeline/tools.ts'
import { lacks, vulkanFfmpeg } from '../../support/vulkan.ts'
import { caught } from '../samples.ts'
import { claim, lavapipeDevice, script } from './samples.ts'

// Lavapipe on a busy machine.
setDefaultTimeout(300_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-prove-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()
const environment = process.env
const find = (ffmpeg_path: string) => findTools({ ffmpeg_path, environment, signal })

async function prove(request: Pick<ProveGpusRequest, 'tools' | 'devices'> & Partial<ProveGpusRequest>): Promise<Gpu> {
  const cache_folder = mkdtempSync(join(folder, 'cache-'))
  const [gpu] = await proveGpus({ environment, signal, engines: [], concurrency: 1, cache_folder, ...request })
  if (!gpu) throw new Error('there is no GPU')
  return gpu
}

/** `null` for what is proved, else the reason. */
function verdict(gpu: Gpu, operation: string, codec: string | null, bit_depth: number) {
  const found = gpu.capabilities.find(
    (can) => can.operation === operation && can.codec === codec && can.bit_depth === bit_depth,
  )
  return found?.reason
}

describe.skipIf(lacks('ffmpeg_vulkan'))('lavapipe with an ffmpeg that encodes with Vulkan', () => {
  const path = vulkanFfmpeg() ?? ''

  test('what shaders do is proved, and what the driver does not claim is not tried', async () => {
    const device = lavapipeDevice([claim('encode', 'h264'), claim('decode', 'h264')])
    const gpu = await prove({ tools: await find(path), devices: [device], concurrency: 2 })
    expect(gpu).toMatchObject({
      id: 'vulkan:0',
      api: 'vulkan',
      selector: '0',
      type: 'cpu',
      vendor_id: 0x10005,
      decode_slots: 2,
    })
    for (const bit_depth of [8, 10]) {
      expect(verdict(gpu, 'encode', 'ffv1', bit_depth)).toBeNull()
      expect(verdict(gpu, 'decode', 'ffv1', bit_depth)).toBeNull()
      expect(verdict(gpu, 'filter', null, bit_depth)).toBeNull()
    }
    expect(gpu.capabilities.find(({ by }) => by === 'libplacebo')?.reason).toBeNull()
    expect(verdict(gpu, 'encode', 'prores', 10)).toBeNull()
    expect(verdict(gpu, 'decode', 'prores', 10)).toBeNull()
    expect(verdict(gpu, 'encode', 'hevc', 8)).toBe('the driver has no Vulkan Video (VK_KHR_video_queue)')
    expect(verdict(gpu, 'decode', 'vp9', 10)).toBe('the driver has no Vulkan Video (VK_KHR_video_queue)')
    // A claim that is not true.
    expect(verdict(gpu, 'encode', 'h264', 8)).toMatch(/^this ffmpeg could not encode it \(h264_vulkan: .*encode_queue/)
    expect(verdict(gpu, 'decode', 'h264', 8)).toMatch(/^the GPU does not decode this kind of it \(.*video_decode_queue/)
    const h264 = gpu.capabilities.find(({ by }) => by === 'h264_vulkan')
    const limits = { min_width: 16, min_height: 16, max_width: 4096, max_height: 4096 }
    expect(h264).toMatchObject({ proved: false, limits, rate_control: 'cbr', quality_levels: 4 })
  })

  test('a driver that hangs while it decodes costs a reason, and leaves no process', async () => {
    const pids = join(folder, 'pids')
    const ffmpeg_path = script(join(folder, 'hanging-ffmpeg'), [
      // Nothing to encode or to scale with, so that only decoding is tried.
      'case " $* " in *" -encoders "*|*" -filters "*) exit 0 ;; esac',
      'case " $* " in *" -hwaccel "*)',
      `  echo $$ >>'${pids}'`,
      `  for i in 1 2 3; do echo "0, $i, $i, 1, 345600, 0123456789abcdef0123456789abcdef"; done`,
      '  kill -STOP $$ ;;',
      'esac',
      `exec '${path}' "$@"`,
    ])
    const tools = { ...(await find(path)), ffmpeg_path }
    const gpu = await prove({ tools, devices: [lavapipeDevice()], stall_timeout_ms: 400 })
    expect(verdict(gpu, 'decode', 'ffv1', 8)).toBe('decoding stood still after 3 frames (a hang of the driver)')
    expect(gpu.decode_slots).toBe(0)
    const started = readFileSync(pids, 'utf8').trim().split('\n').map(Number)
    expect(started).toHaveLength(3)
    for (const pid of started) expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })

  test('a picture that comes out wrong is no proof', async () => {
    const ffmpeg_path = script(join(folder, 'wrong-ffmpeg'), [
      'case " $* " in *" -encoders "*) exit 0 ;; *" -hwaccel "*) exit 0 ;; esac',
      // What is scaled is turned upside down.
      'for argument do',
      '  shift',
      `  case "$argument" in *scale_vulkan*) argument=$(echo "$argument" | sed 's/,hwupload/,vflip,hwupload/') ;; esac`,
      '  set -- "$@" "$argument"',
      'done',
      `exec '${path}' "$@"`,
    ])
    const gpu = await prove({ tools: { ...(await find(path)), ffmpeg_path }, devices: [lavapipeDevice()] })
    expect(verdict(gpu, 'filter', null, 8)).toMatch(/^the picture came out wrong \(SSIM 0\.\d\d\)$/)
    expect(verdict(gpu, 'decode', 'ffv1', 8)).toBe('0 of 12 frames came out')
  })
})

test('an ffmpeg that is too old tells which one is needed', async () => {
  const tools = { ...(await find('ffmpeg')), version: '5.1.9-0+deb12u1' }
  const ffmpeg_path = script(join(folder, 'old-ffmpeg'), [
    'case " $* " in *" -encoders "*) exit 0 ;; esac',
    `exec '${tools.ffmpeg_path}' "$@"`,
  ])
  const devices = [lavapipeDevice([claim('encode', 'h264'), claim('decode', 'h264')])]
  const gpu = await prove({ tools: { ...tools, ffmpeg_path }, devices })
  expect(verdict(gpu, 'encode', 'h264', 8)).toBe('ffmpeg 5.1.9 has no h264_vulkan; 7.1 or newer is needed')
  expect(verdict(gpu, 'encode', 'prores', 10)).toBe('ffmpeg 5.1.9 has no prores_ks_vulkan; 8.1 or newer is needed')
  expect(verdict(gpu, 'decode', 'h264', 8)).toBe('ffmpeg 5.1.9 cannot decode h264 by Vulkan; 6.1 or newer is needed')
  expect(verdict(gpu, 'decode', 'ffv1', 8)).toBe('ffmpeg 5.1.9 cannot decode ffv1 by Vulkan; 8.0 or newer is needed')
})

test('a device that ffmpeg does not see is told, and not kept', async () => {
  const tools = await find('ffmpeg')
  const devices = [lavapipeDevice([], { name: 'No such GPU', type: 'discrete', device_id: 0xfff })]
  const gpu = await prove({ tools, devices })
  expect(gpu).toMatchObject({ id: 'vulkan:0', selector: '', name: 'No such GPU', decode_slots: 0 })
  expect(verdict(gpu, 'filter', null, 8)).toStartWith('this ffmpeg does not see it')
})

test('an ffmpeg that is not there is a reason, not an error', async () => {
  const tools = { ffmpeg_path: '/nonexistent/ffmpeg', ffprobe_path: '/nonexistent/ffprobe', version: '9.0.2' }
  const gpu = await prove({ tools, devices: [lavapipeDevice()] })
  expect(gpu.capabilities.filter((can) => can.proved)).toEqual([])
  expect(verdict(gpu, 'decode', 'ffv1', 8)).toBe('this ffmpeg does not see it: there is no program /nonexistent/ffmpeg')
})

test('a machine without GPUs has none', async () => {
  const tools = await find('ffmpeg')
  const request = { tools, devices: [], engines: [], environment, concurrency: 1, cache_folder: folder }
  expect(await proveGpus({ ...request, signal })).toEqual([])
})

test('an abort is thrown, before anything runs and in the middle of it', async () => {
  const tools = await find('ffmpeg')
  const request = { tools, devices: [lavapipeDevice()], engines: [], environment, concurrency: 1, cache_folder: folder }
  const aborted = AbortSignal.abort(new Error('enough'))
  expect(await caught(proveGpus({ ...request, signal: aborted }))).toHaveProperty('message', 'enough')
  const fifo = join(folder, 'fifo')
  Bun.spawnSync(['mkfifo', fifo])
  const ffmpeg_path = script(join(folder, 'stopping-ffmpeg'), [`echo started >'${fifo}'`, 'kill -STOP $$'])
  const controller = new AbortController()
  const proving = caught(proveGpus({ ...request, tools: { ...tools, ffmpeg_path }, signal: controller.signal }))
  expect(await readFile(fifo, 'utf8')).toBe('started\n')
  controller.abort(new Error('enough'))
  expect(await proving).toHaveProperty('message', 'enough')
})

test('an ffprobe that is not there is a reason, not an error', async () => {
  const ffmpeg_path = script(join(folder, 'encoding-ffmpeg'), [
    `case " $* " in`,
    `  *" -encoders "*) printf '%s\\n' '------' ' V....D ffv1_vulkan          FFmpeg video codec #1' ;;`,
    `  *" -init_hw_device vulkan=gpu:0 "*)`,
    `    printf '%s\\n' 'GPU listing:' ' 0: llvmpipe (software) (0x0)' 'Device 0 selected: llvmpipe (software) (0x0)' >&2 ;;`,
    'esac',
  ])
  const tools = { ffmpeg_path, ffprobe_path: '/nonexistent/ffprobe', version: '5.1.9' }
  const gpu = await prove({ tools, devices: [lavapipeDevice()] })
  expect(verdict(gpu, 'encode', 'ffv1', 8)).toBe(
    'the test encode cannot be read: there is no program /nonexistent/ffprobe',
  )
})
