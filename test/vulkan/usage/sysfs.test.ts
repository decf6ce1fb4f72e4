import { expect, test } from 'bun:test'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { amdUsage, intelMeter } from '../../../src/vulkan/usage/sysfs.ts'
import { unknownUsage } from '../../../src/vulkan/usage/values.ts'
import { temporaryFolder } from '../../support/program.ts'

const address = '0000:03:00.0'

/** A sysfs with one PCI device, linked as Linux does it; `write` sets files of the device, null takes one away. */
function sysfs(files: Record<string, string>) {
  const root = temporaryFolder()
  const device = join(root, 'devices', 'pci0000:00', '0000:00:01.0', address)
  const write = (changes: Record<string, string | null>) => {
    for (const [name, text] of Object.entries(changes)) {
      const path = join(device, name)
      if (text === null) rmSync(path)
      else {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, `${text}\n`)
      }
    }
  }
  write({ vendor: '0x1002', 'power/runtime_status': 'active', ...files })
  mkdirSync(join(root, 'bus', 'pci', 'devices'), { recursive: true })
  symlinkSync(`../../../devices/pci0000:00/0000:00:01.0/${address}`, join(root, 'bus', 'pci', 'devices', address))
  return { root, write }
}

/** An Intel GPU, and the looks at it: each sets the clock and some files first. */
function intel(files: Record<string, string>) {
  const { root, write } = sysfs({ vendor: '0x8086', 'drm/card1/card1-HDMI-A-1/status': 'connected', ...files })
  const clock = { ms: 5000 }
  const usage = intelMeter({ root, now: () => clock.ms })
  return (ms: number, changes: Record<string, string | null> = {}) => {
    clock.ms = ms
    write(changes)
    return usage(address).usage
  }
}

const amdFiles = {
  gpu_busy_percent: '87',
  mem_busy_percent: '14',
  mem_info_vram_total: '17163091968',
  mem_info_vram_used: '4290772992',
  'drm/card0/dev': '226:0',
}

test("amdgpu's shares are read; VCN encodes and decodes", () => {
  const { root } = sysfs({ ...amdFiles, vcn_busy_percent: '41' })
  expect(amdUsage(root, address)).toEqual({ usage: 87, encoder_usage: 41, decoder_usage: 41, memory_usage: 25 })
  expect(amdUsage(root, address.toUpperCase())).toMatchObject({ usage: 87 })
})

test('what a card of AMD does not tell is null', () => {
  const { root, write } = sysfs(amdFiles)
  expect(amdUsage(root, address)).toEqual({ ...unknownUsage, usage: 87, memory_usage: 25 })
  expect(amdUsage(root, '0000:04:00.0')).toEqual(unknownUsage)
  write({ gpu_busy_percent: null, mem_info_vram_total: '0' })
  expect(amdUsage(root, address)).toEqual(unknownUsage)
})

test.each(['', 'busy', '-1', '101', '8 7', '0x57', '4294967295'])('%p is no share', (text) => {
  const { root } = sysfs({ gpu_busy_percent: text, vcn_busy_percent: text, mem_info_vram_used: text })
  expect(amdUsage(root, address)).toEqual(unknownUsage)
})

test('a card of AMD that sleeps is not busy, and is not woken to hear it', () => {
  const { root } = sysfs({ ...amdFiles, vcn_busy_percent: '41', 'power/runtime_status': 'suspended' })
  expect(amdUsage(root, address)).toEqual({ ...unknownUsage, usage: 0, memory_usage: 25 })
})

test.each([
  ['i915', 'drm/card1/gt/gt0/rc6_residency_ms'],
  ['an older i915', 'drm/card1/power/rc6_residency_ms'],
  ['xe', 'tile0/gt0/gtidle/idle_residency_ms'],
])('%s: the time that it did not idle since the last look is the busy share', (_driver, counter) => {
  const look = intel({ [counter]: '1000' })
  expect(look(5000)).toBeNull()
  expect(look(7000, { [counter]: '2500' })).toBe(25)
  expect(look(9000, { [counter]: '2500' })).toBe(100)
  // The counter was read a little later than the clock.
  expect(look(11_000, { [counter]: '4503' })).toBe(0)
})

test.each([
  ['i915', 'drm/card1/gt/gt0/rc6_residency_ms', 'drm/card1/gt/gt1/rc6_residency_ms'],
  ['xe', 'tile0/gt0/gtidle/idle_residency_ms', 'tile0/gt1/gtidle/idle_residency_ms'],
])('%s: of graphics and media the busier counts', (_driver, graphics, media) => {
  const look = intel({ [graphics]: '0', [media]: '0', 'drm/card1/power/rc6_residency_ms': '0' })
  look(0)
  expect(look(1000, { [graphics]: '990', [media]: '400' })).toBe(60)
})

test('a counter that starts over, goes away or says nonsense is no reading, and the next look begins anew', () => {
  const counter = 'drm/card1/gt/gt0/rc6_residency_ms'
  const look = intel({ [counter]: '4294967000' })
  look(0)
  expect(look(1000, { [counter]: '300' })).toBeNull()
  expect(look(2000, { [counter]: '800' })).toBe(50)
  expect(look(2000)).toBeNull()
  expect(look(3000, { [counter]: 'nonsense' })).toBeNull()
  expect(look(4000, { [counter]: '1800' })).toBeNull()
  expect(look(5000, { [counter]: '2000' })).toBe(80)
  expect(look(6000, { [counter]: null })).toBeNull()
})

test('a counter that is switched off is none', () => {
  const look = intel({ 'drm/card1/gt/gt0/rc6_residency_ms': '0', 'drm/card1/gt/gt0/rc6_enable': '0' })
  look(0)
  expect(look(1000)).toBeNull()
  expect(look(1000, { 'drm/card1/gt/gt0/rc6_enable': '1' })).toBeNull()
  expect(look(2000)).toBe(100)
})

test('a GPU of Intel that sleeps is not busy, and what its counters missed meanwhile is not counted', () => {
  const counter = 'tile0/gt0/gtidle/idle_residency_ms'
  const look = intel({ [counter]: '1000' })
  look(0)
  expect(look(2000, { 'power/runtime_status': 'suspended' })).toBe(0)
  expect(look(60_000, { 'power/runtime_status': 'active' })).toBeNull()
  expect(look(62_000, { [counter]: '2000' })).toBe(50)
})

test('without a driver or a device nothing is told', () => {
  const look = intel({})
  expect([look(0), look(1000)]).toEqual([null, null])
  expect(intelMeter({ root: '/nowhere', now: () => 0 })(address)).toEqual(unknownUsage)
  expect(amdUsage('/nowhere', address)).toEqual(unknownUsage)
})
