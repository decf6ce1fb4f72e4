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
import { machineKey, readCached, writeCached } from '../../../src/pipeline/prove/proof-cache.ts'
import { proveGpus } from '../../../src/pipeline/prove/prove-gpus.ts'
import { lavapipeDevice, script } from './samples.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-cache-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const { signal } = new AbortController()

/** An ffmpeg that sees lavapipe and can do nothing with it, and counts how often it is run. */
function countingFfmpeg() {
  const place = mkdtempSync(join(folder, 'case-'))
  const count = join(place, 'count')
  const lines = ['GPU listing:', '    0: llvmpipe (software) (0x0)', 'Device 0 selected: llvmpipe (software) (0x0)']
  const ffmpeg_path = script(join(place, 'ffmpeg'), [
    `echo >>'${count}'`,
    `case " $* " in *" -init_hw_device "*) printf '%s\\n' ${lines.map((line) => `'${line}'`).join(' ')} >&2 ;; esac`,
  ])
  const tools = { ffmpeg_path, ffprobe_path: '/nonexistent/ffprobe', version: '5.1.9' }
  const cache_folder = join(place, 'cache')
  const request = { tools, environment: process.env, signal, concurrency: 1, cache_folder, devices: [lavapipeDevice()] }
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

test('the key of a machine names the program behind a link', async () => {
  const tools = { ffmpeg_path: 'nonexistent', ffprobe_path: '/bin/sh', version: '9' }
  const { ffmpeg } = await machineKey(tools)
  expect(ffmpeg).toMatchObject({ version: '9', programs: [{ path: 'nonexistent' }, { mtime_ms: expect.any(Number) }] })
})
