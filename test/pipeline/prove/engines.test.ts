import { afterAll, expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import { Gpu } from '../../../src/contract/gpu.ts'
import { engineSubjects } from '../../../src/pipeline/prove/engine-gpu.ts'
import { type EngineHardware, enginesOf, readRenderNodes } from '../../../src/pipeline/prove/engines.ts'
import { gpu, lavapipeDevice } from './samples.ts'

const folder = mkdtempSync(join(tmpdir(), 'darkstream-engines-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const nothing: EngineHardware = { platform: 'linux', has_nvidia: false, has_amf: false, render_nodes: [] }
const node = { path: '/dev/dri/renderD128', vendor_id: 0x8086, pci_address: '0000:00:02.0' }
const h200 = lavapipeDevice([], { name: 'NVIDIA H200', type: 'discrete', vendor_id: 0x10de, driver_version: '580' })
const intel = { name: 'Intel UHD', type: 'integrated', vendor_id: 0x8086, pci_address: '0000:00:02.0' } as const
const uhd = lavapipeDevice([], intel)

test('a machine without hardware has no engine', () => {
  expect(enginesOf(nothing, [lavapipeDevice()])).toEqual([])
})

test('an engine is called as Vulkan calls the device of its vendor', () => {
  expect(enginesOf({ ...nothing, has_nvidia: true }, [uhd, h200])).toEqual([
    {
      id: 'nvenc',
      api: 'nvenc',
      selector: '',
      name: 'NVIDIA H200',
      type: 'discrete',
      driver_version: '580',
      pci_address: null,
      vendor_id: 0x10de,
    },
  ])
  const [unnamed] = enginesOf({ ...nothing, has_nvidia: true }, [uhd])
  expect(unnamed).toMatchObject({ name: 'NVIDIA GPU (NVENC)', type: null, driver_version: '', vendor_id: 0x10de })
})

test('each render node is a GPU of VA-API, and one of Intel is one of Quick Sync too', () => {
  const other = { path: '/dev/dri/renderD129', vendor_id: 0x1002, pci_address: '0000:03:00.0' }
  const engines = enginesOf({ ...nothing, render_nodes: [node, other] }, [uhd])
  expect(engines.map(({ id, selector, name }) => ({ id, selector, name }))).toEqual([
    { id: 'qsv', selector: '', name: 'Intel UHD' },
    { id: 'vaapi:/dev/dri/renderD128', selector: '/dev/dri/renderD128', name: 'Intel UHD' },
    { id: 'vaapi:/dev/dri/renderD129', selector: '/dev/dri/renderD129', name: 'renderD129 (VAAPI)' },
  ])
  // So that a card can be metered that Vulkan does not know.
  expect(engines.map(({ vendor_id, pci_address }) => [vendor_id, pci_address])).toEqual([
    [0x8086, '0000:00:02.0'],
    [0x8086, '0000:00:02.0'],
    [0x1002, '0000:03:00.0'],
  ])
  expect(enginesOf({ ...nothing, render_nodes: [other] }, []).map(({ api }) => api)).toEqual(['vaapi'])
})

test('on Windows the vendors that Vulkan knows are tried, and all of them without Vulkan', () => {
  const windows = { ...nothing, platform: 'win32' }
  expect(enginesOf(windows, [h200]).map(({ api }) => api)).toEqual(['nvenc'])
  expect(enginesOf(windows, [lavapipeDevice()]).map(({ api }) => api)).toEqual(['nvenc', 'qsv', 'amf'])
  expect(enginesOf(windows, []).map(({ api }) => api)).toEqual(['nvenc', 'qsv', 'amf'])
  expect(enginesOf({ ...nothing, platform: 'darwin' }, []).map(({ api }) => api)).toEqual(['videotoolbox'])
})

test('what another version tells of a GPU has no vendor', () => {
  const { vendor_id, ...older } = gpu([], { vendor_id: 0x10de })
  expect(v.parse(Gpu, { ...older, vendor_id })).toHaveProperty('vendor_id', 0x10de)
  expect(v.parse(Gpu, older)).toHaveProperty('vendor_id', null)
})

test('render nodes are read with what sysfs knows of them', () => {
  const [devices, sysfs] = [join(folder, 'dri'), join(folder, 'drm')]
  for (const name of ['renderD129', 'renderD128', 'card0']) {
    mkdirSync(join(devices, name), { recursive: true })
  }
  mkdirSync(join(sysfs, 'renderD128'), { recursive: true })
  mkdirSync(join(folder, '0000:00:02.0'))
  writeFileSync(join(folder, '0000:00:02.0', 'vendor'), '0x8086\n')
  symlinkSync(join(folder, '0000:00:02.0'), join(sysfs, 'renderD128', 'device'))
  expect(readRenderNodes(devices, sysfs)).toEqual([
    { ...node, path: join(devices, 'renderD128') },
    { path: join(devices, 'renderD129'), vendor_id: null, pci_address: null },
  ])
  expect(readRenderNodes(join(folder, 'none'), sysfs)).toEqual([])
})

test('an API is tried at what ffmpeg has of it, with ten bits where conversions have them', () => {
  expect(engineSubjects('nvenc').map(({ by, bit_depth }) => `${by} ${bit_depth}`)).toEqual([
    'h264_nvenc 8',
    'hevc_nvenc 8',
    'hevc_nvenc 10',
    'av1_nvenc 8',
    'av1_nvenc 10',
  ])
  expect(engineSubjects('videotoolbox').map(({ by }) => by)).toContain('prores_videotoolbox')
})
