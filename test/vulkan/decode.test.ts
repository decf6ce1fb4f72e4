import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  bitNames,
  decodeDeviceHead,
  decodeDriver,
  decodeExtensions,
  decodeLayers,
  decodeMemoryHeaps,
  decodePciAddress,
  decodeQueueFamily,
  decodeUuid,
  driverVersionText,
  versionText,
} from '../../src/vulkan/decode.ts'
import { structs } from '../../src/vulkan/layout.ts'

/** What Mesa 22.3.6's lavapipe wrote through the loader of Debian 12, struct by struct. */
const recorded = JSON.parse(
  readFileSync(join(import.meta.dir, '..', 'fixtures', 'vulkan-lavapipe.json'), 'utf8'),
) as Record<string, string>

function bytesOf(name: string): DataView {
  const bytes = Uint8Array.from(Buffer.from(recorded[name] ?? '', 'base64'))
  return new DataView(bytes.buffer)
}

describe('the recorded bytes of lavapipe', () => {
  test('are a device of the type CPU', () => {
    expect(decodeDeviceHead(bytesOf('VkPhysicalDeviceProperties'))).toEqual({
      name: 'llvmpipe (LLVM 15.0.6, 256 bits)',
      type: 'cpu',
      vendor_id: 0x10005,
      device_id: 0,
      api_version: '1.3.230',
      packed_api_version: 0x4030e6,
      packed_driver_version: 1,
    })
  })

  test('name the driver, the UUID and the memory', () => {
    expect(decodeDriver(bytesOf('VkPhysicalDeviceDriverProperties'))).toEqual({
      driver_name: 'llvmpipe',
      driver_info: 'Mesa 22.3.6 (LLVM 15.0.6)',
    })
    expect(decodeUuid(bytesOf('VkPhysicalDeviceIDProperties'))).toBe('6d657361-3232-2e33-2e36-000000000000')
    expect(decodeMemoryHeaps(bytesOf('VkPhysicalDeviceMemoryProperties'))).toEqual([
      { size_bytes: 2 ** 31, device_local: true },
    ])
  })

  test('hold extensions, a layer and one queue family without video', () => {
    const extensions = decodeExtensions(bytesOf('VkExtensionProperties[3]'), 3)
    expect(extensions).toHaveLength(3)
    expect(extensions.every((name) => /^VK_[A-Z]+_\w+$/.test(name))).toBe(true)
    expect(decodeLayers(bytesOf('VkLayerProperties'), 1)).toEqual([
      { name: 'VK_LAYER_MESA_device_select', version: '1.3.211', description: 'Linux device selection layer' },
    ])
    expect(decodeQueueFamily(bytesOf('VkQueueFamilyProperties2'), null)).toEqual({
      queue_count: 1,
      operations: ['graphics', 'compute', 'transfer'],
      video_codec_operations: [],
    })
  })
})

test('a queue family tells which codecs it has, also one that we do not know', () => {
  const family = new DataView(new ArrayBuffer(structs.VkQueueFamilyProperties2.size))
  family.setUint32(16, 0x2c, true)
  family.setUint32(20, 7, true)
  const video = new DataView(new ArrayBuffer(structs.VkQueueFamilyVideoPropertiesKHR.size))
  video.setUint32(16, 0x80070003, true)
  expect(decodeQueueFamily(family, video)).toEqual({
    queue_count: 7,
    operations: ['transfer', 'sparse', 'video_decode'],
    video_codec_operations: ['decode_h264', 'decode_hevc', 'encode_h264', 'encode_hevc', 'encode_av1', '0x80000000'],
  })
  expect(bitNames(0, { a: 1 })).toEqual([])
})

test('a PCI address reads as lspci writes it', () => {
  const view = new DataView(new ArrayBuffer(structs.VkPhysicalDevicePCIBusInfoPropertiesEXT.size))
  for (const [offset, value] of [
    [16, 0x10000],
    [20, 0xaf],
    [24, 3],
    [28, 1],
  ] as const)
    view.setUint32(offset, value, true)
  expect(decodePciAddress(view)).toBe('10000:af:03.1')
})

test('a driver that says nonsense is not believed beyond its struct', () => {
  const memory = new DataView(new ArrayBuffer(structs.VkPhysicalDeviceMemoryProperties.size))
  memory.setUint32(260, 0xffffffff, true)
  expect(decodeMemoryHeaps(memory)).toHaveLength(16)
  const head = new DataView(new ArrayBuffer(structs.VkPhysicalDeviceProperties.size))
  for (let offset = 20; offset < 276; offset++) head.setUint8(offset, 0xff)
  head.setUint32(16, 99, true)
  expect(decodeDeviceHead(head)).toMatchObject({ type: 'other', name: '\uFFFD'.repeat(256) })
  expect(decodeUuid(new DataView(new ArrayBuffer(64)))).toBeNull()
})

test('versions are unpacked as their vendors pack them', () => {
  expect(versionText(0x4030e6)).toBe('1.3.230')
  expect(driverVersionText(0x9127c100, 0x10de, 'linux')).toBe('580.159.4.0')
  expect(driverVersionText(0x6801006, 0x10005, 'linux')).toBe('26.1.6')
  expect(driverVersionText((101 << 14) | 5445, 0x8086, 'win32')).toBe('101.5445')
  expect(driverVersionText(0x6801006, 0x8086, 'linux')).toBe('26.1.6')
})
