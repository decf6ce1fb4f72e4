import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import type { Gpu } from '../../../src/contract/gpu.ts'
import { machineKey, readCached, writeCached } from '../../../src/pipeline/prove/proof-cache.ts'
import { proveGpus } from '../../../src/pipeline/prove/prove-gpus.ts'
import { lavapipeDevice, script } from './samples.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-cache-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()

const nvenc = {
  id: 'nvenc',
  api: 'nvenc',
  selector: '',
  name: 'NVIDIA',
  type: null,
  driver_version: '580',
  pci_address: null,
  vendor_id: 0x10de,
} as const

/** An ffmpeg that sees lavapipe, has these filters and can do nothing, and counts how often it is run. */
function countingFfmpeg(filters = '') {
  const place = mkdtempSync(join(folder, 'case-'))
  const count = join(place, 'count')
  const lines = ['GPU listing:', '    0: llvmpipe (software) (0x0)', 'Device 0 selected: llvmpipe (software) (0x0)']
  const ffmpeg_path = script(join(place, 'ffmpeg'), [
    `echo >>'${count}'`,
    `case " $* " in *" -init_hw_device "*) printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >&2 ;; esac`,
    `case " $* " in *" -filters "*) printf '%s\\n' '${filters}' ;; esac`,
  ])
  const tools = { ffmpeg_path, ffprobe_path: '/nonexistent/ffprobe', version: '5.1.9' }
  const cache_folder = join(place, 'cache')
  const common = { tools, environment: process.env, signal, concurrency: 1, cache_folder, engines: [] }
  const request = { ...common, devices: [lavapipeDevice()] }
  return { request, runs: () => (existsSync(count) ? readFileSync(count, 'utf8').length : 0) }
}

test('what was proved is not tried again, unless it is asked for', async () => {
  const { request, runs } = countingFfmpeg()
  const proved = await proveGpus(request)
  const first = runs()
  expect(first).toBeGreaterThan(0)
  expect(proved[0]?.selector).toBe('0')
  expect(await proveGpus(request)).toEqual(proved)
  expect(runs()).toBe(first)
  await proveGpus({ ...request, fresh: true })
  expect(runs()).toBe(2 * first)
})

const dayMs = 24 * 60 * 60 * 1000

test('what failed may have been the moment’s fault, and counts for a day', async () => {
  const { request, runs } = countingFfmpeg(' ... scale_vulkan      V->V       Scale Vulkan frames')
  let now = 1_000_000_000_000
  const at = { ...request, clock: () => now }
  const [gpu] = await proveGpus(at)
  expect(gpu?.capabilities.find(({ by }) => by === 'scale_vulkan')?.reason).toContain('no SSIM')
  const first = runs()
  now += dayMs - 1
  await proveGpus(at)
  expect(runs()).toBe(first)
  now += 1
  await proveGpus(at)
  expect(runs()).toBe(2 * first)
  // A clock that was set back.
  now -= dayMs
  await proveGpus(at)
  expect(runs()).toBe(3 * first)
})

test('what a driver does not claim and an ffmpeg does not have is known without end', async () => {
  const { request, runs } = countingFfmpeg()
  const proved = await proveGpus({ ...request, clock: () => 0 })
  const first = runs()
  expect(await proveGpus({ ...request, clock: () => 1000 * dayMs })).toEqual(proved)
  expect(runs()).toBe(first)
})

test('a device that did not open counts as such for a day', async () => {
  const { request, runs } = countingFfmpeg(' ... scale_vulkan      V->V       Scale Vulkan frames')
  const tools = { ...request.tools, ffmpeg_path: `${request.tools.ffmpeg_path}-once` }
  script(tools.ffmpeg_path, [
    `'${request.tools.ffmpeg_path}' "$@" || exit`,
    `case " $* " in *" -init_hw_device "*) echo '[AVHWDeviceContext @ 0x1] [error] Device lost' >&2; exit 1 ;; esac`,
  ])
  const [gpu] = await proveGpus({ ...request, tools, clock: () => 0 })
  expect(gpu?.capabilities.find(({ by }) => by === 'scale_vulkan')?.reason).toMatch(/^this ffmpeg cannot open it: /)
  const first = runs()
  await proveGpus({ ...request, tools, clock: () => dayMs - 1 })
  expect(runs()).toBe(first)
  await proveGpus({ ...request, tools, clock: () => dayMs })
  expect(runs()).toBe(2 * first)
})

test('an engine is tried again after a day when it failed, and else not', async () => {
  const { request, runs } = countingFfmpeg()
  const ffmpeg_path = `${request.tools.ffmpeg_path}-nvenc`
  script(ffmpeg_path, [
    `case " $* " in *" -encoders "*) echo ' V....D h264_nvenc           NVENC' ;; esac`,
    `exec '${request.tools.ffmpeg_path}' "$@"`,
  ])
  const all = { ...request, tools: { ...request.tools, ffmpeg_path }, devices: [], engines: [nvenc] }
  const [gpu] = await proveGpus({ ...all, clock: () => 0 })
  expect(gpu?.capabilities).toMatchObject([{ by: 'h264_nvenc', proved: false }])
  const first = runs()
  await proveGpus({ ...all, clock: () => dayMs - 1 })
  expect(runs()).toBe(first)
  await proveGpus({ ...all, clock: () => dayMs })
  expect(runs()).toBe(2 * first)
})

test('without room for what is tried, what is known is given, and the rest with the reason', async () => {
  const { request } = countingFfmpeg()
  const [known] = await proveGpus(request)
  const full = { ...request, engines: [nvenc], temporary_folder: join(folder, 'not-there') }
  const [same, other, ...more] = await proveGpus(full)
  expect(same).toEqual(known as Gpu)
  expect(other).toMatchObject({ id: 'nvenc', decode_slots: 0 })
  expect(other?.capabilities.map(({ by }) => by)).toContain('hevc_nvenc')
  const reason = /^nothing could be tried: no temporary folder can be made: ENOENT/
  for (const { reason: told } of other?.capabilities ?? []) expect(told).toMatch(reason)
  expect(more).toEqual([])
  const [unknown] = await proveGpus({ ...full, devices: [lavapipeDevice([], { driver_version: 'Mesa 0.0.1' })] })
  expect(unknown?.capabilities.find(({ by }) => by === 'scale_vulkan')?.reason).toMatch(reason)
})

test('what is tried lies in the folder that is given for it, and goes', async () => {
  const { request } = countingFfmpeg()
  const temporary_folder = mkdtempSync(join(folder, 'tmp-'))
  const seen = join(folder, 'seen')
  const ffmpeg_path = `${request.tools.ffmpeg_path}-looking`
  script(ffmpeg_path, [`ls '${temporary_folder}' >'${seen}'`, `exec '${request.tools.ffmpeg_path}' "$@"`])
  await proveGpus({ ...request, tools: { ...request.tools, ffmpeg_path }, temporary_folder })
  expect(readFileSync(seen, 'utf8')).toMatch(/^darkstream-prove-\w+\n$/)
  expect(readdirSync(temporary_folder)).toEqual([])
})

test('another driver, another claim or another ffmpeg is proved anew', async () => {
  const { request, runs } = countingFfmpeg()
  await proveGpus(request)
  const first = runs()
  await proveGpus({ ...request, devices: [lavapipeDevice([], { driver_version: 'Mesa 0.0.1' })] })
  expect(runs()).toBe(2 * first)
  await proveGpus({ ...request, devices: [lavapipeDevice([], { video: [] })] })
  expect(runs()).toBe(3 * first)
  utimesSync(request.tools.ffmpeg_path, 1, 1)
  await proveGpus(request)
  expect(runs()).toBe(4 * first)
  await proveGpus({ ...request, tools: { ...request.tools, version: '5.1.10' } })
  expect(runs()).toBe(5 * first)
})

test('a file that is cut off or of something else is as good as none', async () => {
  const { request, runs } = countingFfmpeg()
  const proved = await proveGpus(request)
  const first = runs()
  const [name] = readdirSync(request.cache_folder)
  const file = join(request.cache_folder, name ?? '')
  writeFileSync(file, readFileSync(file, 'utf8').slice(0, 200))
  expect(await proveGpus(request)).toEqual(proved)
  expect(runs()).toBe(2 * first)
  const other = { ...request, devices: [lavapipeDevice([], { driver_version: 'Mesa 0.0.1' })] }
  await proveGpus(other)
  const second = readdirSync(request.cache_folder).find((each) => each !== name) ?? ''
  renameSync(join(request.cache_folder, second), file)
  expect(await proveGpus(request)).toEqual(proved)
  expect(runs()).toBe(4 * first)
})

test('a folder that cannot be written to costs nothing but time', async () => {
  const { request } = countingFfmpeg()
  writeFileSync(join(folder, 'no-folder'), '')
  expect(await proveGpus({ ...request, cache_folder: join(folder, 'no-folder', 'cache') })).toHaveLength(1)
})

test('a value is kept by its key and checked when it is read', async () => {
  await writeCached(folder, 'figures', { a: 1 }, [2])
  expect(await readCached(folder, 'figures', { a: 1 }, v.array(v.number()))).toEqual([2])
  expect(await readCached(folder, 'figures', { a: 1 }, v.array(v.string()))).toBeUndefined()
  expect(await readCached(folder, 'figures', { a: 2 }, v.array(v.number()))).toBeUndefined()
  expect(await readCached(folder, 'proof', { a: 1 }, v.array(v.number()))).toBeUndefined()
  expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
})

test('a value lasts as long as it was told to', async () => {
  await writeCached(folder, 'figures', { b: 1 }, [3], { lasts_ms: 10, clock: () => 100 })
  const at = (now: number) => readCached(folder, 'figures', { b: 1 }, v.array(v.number()), () => now)
  expect(await at(109)).toEqual([3])
  expect(await at(110)).toBeUndefined()
  expect(await at(99)).toBeUndefined()
})

test('the key of a machine names the program behind a link', async () => {
  const tools = { ffmpeg_path: 'nonexistent', ffprobe_path: '/bin/sh', version: '9' }
  const { ffmpeg } = await machineKey(tools)
  expect(ffmpeg).toMatchObject({ version: '9', programs: [{ path: 'nonexistent' }, { mtime_ms: expect.any(Number) }] })
})
