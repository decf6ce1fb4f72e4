import type { DeviceFacts, QueueFamily, VulkanDeviceType, VulkanLayer } from '../contract/vulkan.ts'
import { constants, structs } from './layout.ts'
import { element } from './memory.ts'

/** What `VkPhysicalDeviceProperties` tells; `driver_version` still as the number that only its vendor can read. */
export type DeviceHead = Pick<DeviceFacts, 'name' | 'type' | 'vendor_id' | 'device_id' | 'api_version'> & {
  packed_api_version: number
  packed_driver_version: number
}

/** Reads `VkPhysicalDeviceProperties`. */
export function decodeDeviceHead(view: DataView): DeviceHead {
  const at = structs.VkPhysicalDeviceProperties.offsets
  const packed = view.getUint32(at.apiVersion, true)
  return {
    name: text(view, at.deviceName, 256),
    type: deviceTypes[view.getUint32(at.deviceType, true)] ?? 'other',
    vendor_id: view.getUint32(at.vendorID, true),
    device_id: view.getUint32(at.deviceID, true),
    api_version: versionText(packed),
    packed_api_version: packed,
    packed_driver_version: view.getUint32(at.driverVersion, true),
  }
}

const deviceTypes: Record<number, VulkanDeviceType> = {
  [constants.VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU]: 'integrated',
  [constants.VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU]: 'discrete',
  [constants.VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU]: 'virtual',
  [constants.VK_PHYSICAL_DEVICE_TYPE_CPU]: 'cpu',
}

/** Reads `VkPhysicalDeviceDriverProperties`; its texts are empty where the driver left them so. */
export function decodeDriver(view: DataView): { driver_name: string; driver_info: string } {
  const at = structs.VkPhysicalDeviceDriverProperties.offsets
  return { driver_name: text(view, at.driverName, 256), driver_info: text(view, at.driverInfo, 256) }
}

/** Reads `VkPhysicalDeviceIDProperties`: the device's UUID, null when the driver left it empty. */
export function decodeUuid(view: DataView): string | null {
  const { deviceUUID } = structs.VkPhysicalDeviceIDProperties.offsets
  const digits = Array.from({ length: 16 }, (_, index) => hex(view.getUint8(deviceUUID + index), 2)).join('')
  if (/^0+$/.test(digits)) return null
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** Reads `VkPhysicalDevicePCIBusInfoPropertiesEXT`: `0000:01:00.0`. */
export function decodePciAddress(view: DataView): string {
  const at = structs.VkPhysicalDevicePCIBusInfoPropertiesEXT.offsets
  const part = (offset: number, digits: number) => hex(view.getUint32(offset, true), digits)
  return `${part(at.pciDomain, 4)}:${part(at.pciBus, 2)}:${part(at.pciDevice, 2)}.${part(at.pciFunction, 1)}`
}

/** Reads `VkPhysicalDeviceMemoryProperties`. */
export function decodeMemoryHeaps(view: DataView): DeviceFacts['memory_heaps'] {
  const at = structs.VkPhysicalDeviceMemoryProperties.offsets
  const heaps = new DataView(view.buffer, view.byteOffset + at.memoryHeaps)
  // VK_MAX_MEMORY_HEAPS is 16: what claims more is not read beyond the struct.
  return Array.from({ length: Math.min(view.getUint32(at.memoryHeapCount, true), 16) }, (_, index) => {
    const heap = element(heaps, index, 'VkMemoryHeap')
    const flags = heap.getUint32(structs.VkMemoryHeap.offsets.flags, true)
    return {
      size_bytes: Number(heap.getBigUint64(structs.VkMemoryHeap.offsets.size, true)),
      device_local: (flags & constants.VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) !== 0,
    }
  })
}

/** Reads an array of `VkExtensionProperties`: the names in order of the alphabet. */
export function decodeExtensions(view: DataView, count: number): string[] {
  const { extensionName } = structs.VkExtensionProperties.offsets
  const names = Array.from({ length: count }, (_, index) =>
    text(element(view, index, 'VkExtensionProperties'), extensionName, 256),
  )
  return names.toSorted()
}

/** Reads an array of `VkLayerProperties`. */
export function decodeLayers(view: DataView, count: number): VulkanLayer[] {
  const at = structs.VkLayerProperties.offsets
  return Array.from({ length: count }, (_, index) => {
    const layer = element(view, index, 'VkLayerProperties')
    return {
      name: text(layer, at.layerName, 256),
      version: versionText(layer.getUint32(at.specVersion, true)),
      description: text(layer, at.description, 256),
    }
  })
}

/** Reads one `VkQueueFamilyProperties2`, and the `VkQueueFamilyVideoPropertiesKHR` that was chained to it. */
export function decodeQueueFamily(family: DataView, video: DataView | null): QueueFamily {
  const inner = structs.VkQueueFamilyProperties2.offsets.queueFamilyProperties
  const at = structs.VkQueueFamilyProperties.offsets
  const codecs = video?.getUint32(structs.VkQueueFamilyVideoPropertiesKHR.offsets.videoCodecOperations, true) ?? 0
  return {
    queue_count: family.getUint32(inner + at.queueCount, true),
    operations: bitNames(family.getUint32(inner + at.queueFlags, true), queueBits),
    video_codec_operations: bitNames(codecs, codecBits),
  }
}

const queueBits = {
  graphics: constants.VK_QUEUE_GRAPHICS_BIT,
  compute: constants.VK_QUEUE_COMPUTE_BIT,
  transfer: constants.VK_QUEUE_TRANSFER_BIT,
  sparse: constants.VK_QUEUE_SPARSE_BINDING_BIT,
  protected: constants.VK_QUEUE_PROTECTED_BIT,
  video_decode: constants.VK_QUEUE_VIDEO_DECODE_BIT_KHR,
  video_encode: constants.VK_QUEUE_VIDEO_ENCODE_BIT_KHR,
  optical_flow: constants.VK_QUEUE_OPTICAL_FLOW_BIT_NV,
}

const codecBits = {
  decode_h264: constants.VK_VIDEO_CODEC_OPERATION_DECODE_H264_BIT_KHR,
  decode_hevc: constants.VK_VIDEO_CODEC_OPERATION_DECODE_H265_BIT_KHR,
  decode_av1: constants.VK_VIDEO_CODEC_OPERATION_DECODE_AV1_BIT_KHR,
  decode_vp9: constants.VK_VIDEO_CODEC_OPERATION_DECODE_VP9_BIT_KHR,
  encode_h264: constants.VK_VIDEO_CODEC_OPERATION_ENCODE_H264_BIT_KHR,
  encode_hevc: constants.VK_VIDEO_CODEC_OPERATION_ENCODE_H265_BIT_KHR,
  encode_av1: constants.VK_VIDEO_CODEC_OPERATION_ENCODE_AV1_BIT_KHR,
}

/** The names of the bits that are set; one without a name is its number, as `0x200`. */
export function bitNames(bits: number, names: Readonly<Record<string, number>>): string[] {
  const named = Object.entries(names).filter(([, bit]) => (bits & bit) !== 0)
  const others = Array.from({ length: 32 }, (_, index) => (1 << index) >>> 0).filter(
    (bit) => (bits & bit) !== 0 && !named.some(([, known]) => known === bit),
  )
  return [...named.map(([name]) => name), ...others.map((bit) => `0x${hex(bit, 1)}`)]
}

/** `1.3.239`, of `VK_MAKE_API_VERSION`: 3 bits of variant, 7, 10 and 12 bits of version. */
export function versionText(packed: number): string {
  return `${(packed >>> 22) & 0x7f}.${(packed >>> 12) & 0x3ff}.${packed & 0xfff}`
}

/** A driver's version as its vendor packs it, for drivers that do not write it out themselves. */
export function driverVersionText(packed: number, vendor_id: number, platform: string): string {
  if (vendor_id === 0x10de) {
    return [packed >>> 22, (packed >>> 14) & 0xff, (packed >>> 6) & 0xff, packed & 0x3f].join('.')
  }
  if (vendor_id === 0x8086 && platform === 'win32') return `${packed >>> 14}.${packed & 0x3fff}`
  return versionText(packed)
}

/** A C string in a field of `size` bytes; what is not UTF-8 becomes U+FFFD. */
function text(view: DataView, offset: number, size: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + offset, size)
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(bytes.subarray(0, end === -1 ? size : end))
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}
