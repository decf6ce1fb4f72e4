import { describe, expect, test } from 'bun:test'
import { allowedGpus } from '../../src/cli/find-gpus.ts'
import type { VulkanDevice } from '../../src/contract/vulkan.ts'
import type { EngineHardware } from '../../src/pipeline/prove/engines.ts'
import { lavapipeDevice } from '../pipeline/prove/samples.ts'

const card = (index: number, name: string, vendor_id: number, pci_address: string | null) =>
  lavapipeDevice([], { index, name, type: 'discrete', vendor_id, pci_address })

const geforce = card(0, 'NVIDIA GeForce RTX 3080', 0x10de, '0000:01:00.0')
const tesla = card(1, 'NVIDIA L4', 0x10de, '0000:02:00.0')
const radeon = card(2, 'AMD Radeon RX 7900', 0x1002, '0000:03:00.0')
const arc = card(3, 'Intel Arc A770', 0x8086, '0000:04:00.0')
const lavapipe = lavapipeDevice([], { index: 4, available: false })

const hardware: EngineHardware = {
  platform: 'linux',
  has_nvidia: true,
  has_amf: true,
  render_nodes: [
    { path: '/dev/dri/renderD128', vendor_id: 0x1002, pci_address: '0000:03:00.0' },
    { path: '/dev/dri/renderD129', vendor_id: 0x8086, pci_address: '0000:04:00.0' },
    { path: '/dev/dri/renderD130', vendor_id: null, pci_address: null },
  ],
}

function allowed(preferred: string, devices: VulkanDevice[]): { devices: string[]; engines: string[] } {
  const found = allowedGpus({ devices }, hardware, preferred)
  return { devices: found.devices.map(({ name }) => name), engines: found.engines.map(({ id }) => id) }
}

const vaapi = (number: number) => `vaapi:/dev/dri/renderD${number}`

test('auto allows every GPU and every engine', () => {
  const all = [vaapi(128), vaapi(129), vaapi(130)]
  expect(allowed('AUTO', [geforce, tesla, radeon, arc, lavapipe])).toEqual({
    devices: [geforce, tesla, radeon, arc].map(({ name }) => name),
    engines: ['nvenc', 'qsv', ...all, 'amf'],
  })
})

describe('a named device', () => {
  test('goes with the engines of its vendor and its own render node', () => {
    const machine = [geforce, radeon, arc, lavapipe]
    expect(allowed('3080', machine)).toEqual({ devices: [geforce.name], engines: ['nvenc'] })
    expect(allowed('Radeon', machine)).toEqual({ devices: [radeon.name], engines: [vaapi(128), 'amf'] })
    expect(allowed('3', machine)).toEqual({ devices: [arc.name], engines: ['qsv', vaapi(129)] })
  })

  test('goes without an engine that may run on another card of its vendor', () => {
    const second = card(5, 'AMD Radeon RX 7900', 0x1002, '0000:05:00.0')
    expect(allowed('L4', [geforce, tesla])).toEqual({ devices: [tesla.name], engines: [] })
    expect(allowed('2', [radeon, second])).toEqual({ devices: [radeon.name], engines: [vaapi(128)] })
    expect(allowed('5', [radeon, second])).toEqual({ devices: [second.name], engines: [] })
  })

  test('is one card, though two drivers know it', () => {
    const other = { ...radeon, index: 5, name: 'AMD Radeon RX 7900 (RADV)' }
    expect(allowed('RADV', [radeon, other])).toEqual({ devices: [other.name], engines: [vaapi(128), 'amf'] })
  })

  test('whose place is not known has no render node', () => {
    expect(allowed('Radeon', [{ ...radeon, pci_address: null }])).toEqual({ devices: [radeon.name], engines: ['amf'] })
  })

  test('that is a processor has no engine', () => {
    expect(allowed('llvmpipe', [geforce, { ...lavapipe, available: true }])).toEqual({
      devices: [lavapipe.name],
      engines: [],
    })
  })

  test('that is not there allows nothing', () => {
    expect(allowed('Voodoo', [geforce, radeon])).toEqual({ devices: [], engines: [] })
  })
})
