import { expect, test } from 'bun:test'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gpuArgument, parseGpuArgument, parseReading, readingLines } from '../../../src/vulkan/usage/lines.ts'
import { canBeRead, usageReader } from '../../../src/vulkan/usage/reader.ts'
import { unknownUsage } from '../../../src/vulkan/usage/values.ts'
import { temporaryFolder } from '../../support/program.ts'
import { has } from '../../support/vulkan.ts'
import { buildNvml } from './build-nvml.ts'

const nvidia = { id: 'vulkan:0', pci_address: '0000:01:00.0', vendor_id: 0x10de }
const amd = { id: 'vulkan:1', pci_address: '0000:03:00.0', vendor_id: 0x1002 }
const intel = { id: 'vulkan:2', pci_address: '0000:00:02.0', vendor_id: 0x8086 }

test('each GPU is read as its vendor has it, and a card that goes by two names once', () => {
  const sysfs_root = temporaryFolder()
  const device = (address: string) => join(sysfs_root, 'bus', 'pci', 'devices', address)
  const counter = join(device(intel.pci_address), 'drm', 'card0', 'power', 'rc6_residency_ms')
  mkdirSync(device(amd.pci_address), { recursive: true })
  mkdirSync(join(counter, '..'), { recursive: true })
  writeFileSync(join(device(amd.pci_address), 'gpu_busy_percent'), '30\n')
  writeFileSync(counter, '0\n')
  let ms = 0
  const look = usageReader({
    gpus: [
      nvidia,
      amd,
      intel,
      { ...intel, id: 'qsv' },
      { id: 'unplaced', pci_address: null, vendor_id: 0x10de },
      { id: 'llvmpipe', pci_address: '0000:09:00.0', vendor_id: 0x10005 },
    ],
    sysfs_root,
    nvml_names: has.compiler ? [buildNvml(temporaryFolder())] : [],
    now: () => ms,
  })
  const first = look()
  expect(first['vulkan:0']?.usage).toBe(has.compiler ? 87 : null)
  expect(first['vulkan:1']).toEqual({ ...unknownUsage, usage: 30 })
  expect([first['vulkan:2'], first['qsv'], first['unplaced'], first['llvmpipe']]).toEqual(
    Array.from({ length: 4 }, () => unknownUsage),
  )
  ms = 1000
  const second = look()
  expect([second['vulkan:2']?.usage, second['qsv']?.usage]).toEqual([100, 100])
})

test('what can be read depends on the vendor and the platform', () => {
  const readable = (platform: string) => [nvidia, amd, intel].map((gpu) => canBeRead(gpu, platform))
  expect(readable('linux')).toEqual([true, true, true])
  expect(readable('win32')).toEqual([true, false, false])
  expect(readable('darwin')).toEqual([false, false, false])
  expect(canBeRead({ ...nvidia, pci_address: null }, 'linux')).toBe(false)
  expect(canBeRead({ ...nvidia, vendor_id: 0x10005 }, 'linux')).toBe(false)
})

test('readings survive the way through a line, among the lines of others', () => {
  const readings = { 'vulkan:0': { ...unknownUsage, usage: 87.5 }, 'vaapi:/dev/dri/renderD128': unknownUsage }
  const lines = `noise${readingLines(readings)}@darkstream-gpu {"id":"cut`.split('\n')
  const read = lines.flatMap((line) => parseReading(line) ?? [])
  expect(Object.fromEntries(read.map(({ id, usage }) => [id, usage]))).toEqual(readings)
  expect(parseReading('@darkstream-gpu {"id":"vulkan:0","usage":101}')).toBeUndefined()
})

test('a GPU survives the way through an argument, whatever its id', () => {
  for (const id of ['vulkan:0', 'vaapi:/dev/dri/renderD128', '--odd = id=\n1']) {
    expect(parseGpuArgument(gpuArgument({ ...nvidia, id }))).toEqual({ ...nvidia, id })
  }
  for (const text of ['', 'vulkan:0', '../../etc=10de=x', '0000:01:00.0=10de=', '0000:01:00.0=nvidia=x']) {
    expect(parseGpuArgument(text)).toBeUndefined()
  }
})
