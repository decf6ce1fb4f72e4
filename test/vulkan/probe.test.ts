import { expect, test } from 'bun:test'
import { ptr } from 'bun:ffi'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProbeEvent } from '../../src/contract/vulkan.ts'
import { constants, structs } from '../../src/vulkan/layout.ts'
import { libraryNames, NoLibraryError, openVulkan, type VulkanLibrary } from '../../src/vulkan/library.ts'
import { probeVulkan } from '../../src/vulkan/probe.ts'
import { temporaryFolder } from '../support/program.ts'

type Fakes = { global?: Partial<VulkanLibrary['global']>; instance?: Partial<ReturnType<VulkanLibrary['forInstance']>> }

/** A loader without layers, and an instance without devices; a test puts its own functions in. */
function library({ global = {}, instance = {} }: Fakes): VulkanLibrary {
  return {
    name: 'fake',
    addressOf: (bytes) => BigInt(ptr(bytes)),
    global: {
      vkEnumerateInstanceVersion: write32(0x4030ef),
      vkEnumerateInstanceLayerProperties: write32(0),
      vkEnumerateInstanceExtensionProperties: (_layer, count) => write32(0)(count),
      vkCreateInstance: () => 0,
      ...global,
    },
    forInstance: () => ({
      vkDestroyInstance: () => {},
      vkEnumeratePhysicalDevices: (_instance, count) => write32(0)(count),
      vkGetPhysicalDeviceProperties: () => {},
      vkGetPhysicalDeviceProperties2: () => {},
      vkGetPhysicalDeviceMemoryProperties: () => {},
      vkEnumerateDeviceExtensionProperties: (_device, _layer, count) => write32(0)(count),
      vkGetPhysicalDeviceQueueFamilyProperties2: (_device, count) => void write32(0)(count),
      vkGetPhysicalDeviceVideoCapabilitiesKHR: undefined,
      ...instance,
    }),
  }
}

function write32(value: number) {
  return (bytes: Uint8Array | null) => {
    if (bytes) new DataView(bytes.buffer).setUint32(0, value, true)
    return 0
  }
}

function probe(fakes: Fakes, more: { platform?: string; validate?: boolean } = {}): ProbeEvent[] {
  const events: ProbeEvent[] = []
  const request = { platform: 'linux', validate: false, ...more }
  probeVulkan({ ...request, library: library(fakes), tell: (event) => events.push(event) })
  return events
}

function problemOf(fakes: Fakes): unknown {
  const events = probe(fakes)
  expect(events.at(-1)).toEqual({ kind: 'end' })
  return events.find((event) => event.kind === 'problem')?.problem
}

test('a machine without devices is told as it goes, and to the end', () => {
  expect(probe({}).map((event) => (event.kind === 'step' ? event.step : event.kind))).toEqual([
    'the loader was asked for its layers',
    'loader',
    'the drivers were loaded (vkCreateInstance)',
    'the devices were listed',
    'the instance was given back',
    'end',
  ])
})

test('a call that fails is a problem in words', () => {
  expect(problemOf({ global: { vkCreateInstance: () => constants.VK_ERROR_INCOMPATIBLE_DRIVER } })).toEqual({
    code: 'no_driver',
    message: expect.stringMatching(/found no driver.*mesa-vulkan-drivers/),
  })
  expect(problemOf({ global: { vkCreateInstance: () => -3 } })).toEqual({
    code: 'failed',
    message: 'vkCreateInstance failed: VK_ERROR_INITIALIZATION_FAILED',
  })
  expect(problemOf({ global: { vkEnumerateInstanceVersion: undefined } })).toMatchObject({ code: 'failed' })
  expect(problemOf({ instance: { vkEnumeratePhysicalDevices: undefined } })).toEqual({
    code: 'failed',
    message: 'vkEnumeratePhysicalDevices is missing',
  })
})

test('a loader that calls it a failure to have no device has none', () => {
  expect(problemOf({ instance: { vkEnumeratePhysicalDevices: () => -3 } })).toBeUndefined()
})

test('a list that grows while it is read is read again', () => {
  let devices = 1
  const vkEnumeratePhysicalDevices = (_: bigint, count: Uint8Array | null, list: Uint8Array | null) => {
    if (!list) return write32(devices++)(count)
    const isShort = devices < 4
    for (let index = 0; index < list.length / 8; index++) {
      new DataView(list.buffer).setBigUint64(index * 8, BigInt(100 + index), true)
    }
    return isShort ? constants.VK_INCOMPLETE : 0
  }
  const asked: bigint[] = []
  const vkGetPhysicalDeviceProperties = (device: bigint) => void asked.push(device)
  const events = probe({ instance: { vkEnumeratePhysicalDevices, vkGetPhysicalDeviceProperties } })
  expect(asked).toEqual([100n, 101n, 102n])
  expect(events.filter((event) => event.kind === 'device').map(({ device }) => device.index)).toEqual([0, 1, 2])
})

test('a device of Vulkan 1.0 is not asked by functions that it does not have', () => {
  const events = probe({
    instance: {
      vkEnumeratePhysicalDevices: (_instance, count) => write32(1)(count),
      vkGetPhysicalDeviceProperties: (_device, bytes) => {
        if (bytes) write32(0x400007)(bytes)
      },
      vkGetPhysicalDeviceProperties2: never,
      vkGetPhysicalDeviceQueueFamilyProperties2: never,
    },
  })
  expect(events.find((event) => event.kind === 'device')?.device).toMatchObject({
    api_version: '1.0.7',
    uuid: null,
    queue_families: [],
  })
})

test('validation that cannot be had is said, and the instance is made without it', () => {
  let layers = -1
  const vkCreateInstance = (info: Uint8Array | null) => {
    layers = new DataView(info?.buffer ?? new ArrayBuffer(64)).getUint32(32, true)
    return 0
  }
  const told = (fakes: Fakes['global']) =>
    probe({ global: { vkCreateInstance, ...fakes } }, { validate: true }).find((event) => event.kind === 'validation')
  expect(told({})).toEqual({ kind: 'validation', enabled: false, reason: expect.stringContaining('not here') })
  expect(layers).toBe(0)
  expect(told({ vkEnumerateInstanceLayerProperties })).toMatchObject({ enabled: true, reason: null })
  expect(layers).toBe(1)
})

test('MoltenVK is asked for on a Mac only', () => {
  let flags = -1
  const global = {
    vkCreateInstance: (info: Uint8Array | null) => {
      flags = new DataView(info?.buffer ?? new ArrayBuffer(64)).getUint32(
        structs.VkInstanceCreateInfo.offsets.flags,
        true,
      )
      return 0
    },
    vkEnumerateInstanceExtensionProperties: (_: unknown, count: Uint8Array | null, list: Uint8Array | null) => {
      list?.set(new TextEncoder().encode('VK_KHR_portability_enumeration'))
      return write32(1)(count)
    },
  }
  probe({ global }, { platform: 'darwin' })
  expect(flags).toBe(constants.VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR)
  probe({ global })
  expect(flags).toBe(0)
})

test('a library that is not there is told, and one in the current folder is not taken for it', () => {
  expect(libraryNames('win32')).toEqual(['vulkan-1.dll'])
  expect(() => openVulkan(['libdarkstream-none.so.1'])).toThrow(NoLibraryError)
  const cwd = temporaryFolder()
  const before = process.cwd()
  writeFileSync(join(cwd, 'libdarkstream-none.so.1'), 'not a library')
  process.chdir(cwd)
  try {
    expect(() => openVulkan(['libdarkstream-none.so.1'])).toThrow(/^(?!.*darkstream-test)/)
    expect(process.cwd()).toBe(cwd)
  } finally {
    process.chdir(before)
  }
})

function never(): never {
  throw new Error('asked')
}

/** A loader that has one layer. */
function vkEnumerateInstanceLayerProperties(count: Uint8Array | null, list: Uint8Array | null): number {
  list?.set(new TextEncoder().encode('VK_LAYER_KHRONOS_validation'))
  return write32(1)(count)
}
