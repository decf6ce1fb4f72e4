import type { DeviceFacts, ProbeEvent, QueueFamily } from '../contract/vulkan.ts'
import { enumerate } from './calls.ts'
import {
  decodeDeviceHead,
  decodeDriver,
  decodeExtensions,
  decodeMemoryHeaps,
  decodePciAddress,
  decodeQueueFamily,
  decodeUuid,
  driverVersionText,
} from './decode.ts'
import { structs } from './layout.ts'
import type { InstanceFunctions } from './library.ts'
import { element, type Memory, writeHead } from './memory.ts'
import { videoClaims } from './video.ts'

const vulkan11 = (1 << 22) | (1 << 12)
const vulkan12 = (1 << 22) | (2 << 12)

/** One device, as its functions see it. */
export interface Device {
  functions: InstanceFunctions
  /** `VkPhysicalDevice` */
  device: bigint
  index: number
  memory: Memory
  platform: string
  tell: (event: ProbeEvent) => void
}

/** All that a device tells. Throws `ProbeFailure`. */
export function deviceFacts(asked: Device): DeviceFacts {
  const { functions, device, index, memory, tell } = asked
  tell({ kind: 'step', step: `device ${index} was asked what it is` })
  const head = memory.struct(structs.VkPhysicalDeviceProperties)
  functions.vkGetPhysicalDeviceProperties?.(device, head.bytes)
  const { packed_api_version, packed_driver_version, ...properties } = decodeDeviceHead(head.view)
  const heaps = memory.struct(structs.VkPhysicalDeviceMemoryProperties)
  functions.vkGetPhysicalDeviceMemoryProperties?.(device, heaps.bytes)
  const extensions = deviceExtensions(asked)
  const more = packed_api_version < vulkan11 ? null : moreProperties(asked, extensions, packed_api_version)
  // Drivers of Vulkan 1.0 lack the functions whose names end in 2.
  const families = packed_api_version < vulkan11 ? [] : queueFamilies(asked, extensions.includes('VK_KHR_video_queue'))
  tell({ kind: 'step', step: `${properties.name} was asked for its video capabilities` })
  const askVideo = functions.vkGetPhysicalDeviceVideoCapabilitiesKHR
  return {
    index,
    ...properties,
    driver_name: more?.driver_name ?? '',
    driver_version: more?.driver_info || driverVersionText(packed_driver_version, properties.vendor_id, asked.platform),
    uuid: more?.uuid ?? null,
    pci_address: more?.pci_address ?? null,
    memory_heaps: decodeMemoryHeaps(heaps.view),
    supported_extensions: extensions,
    queue_families: families,
    video: videoClaims({
      extensions,
      families,
      memory,
      ask: askVideo && ((profile, capabilities) => askVideo(device, profile.bytes, capabilities.bytes)),
    }),
  }
}

function deviceExtensions({ functions, device, memory }: Device): string[] {
  const stride = structs.VkExtensionProperties.size
  const list = enumerate('vkEnumerateDeviceExtensionProperties', stride, memory, (count, items) =>
    functions.vkEnumerateDeviceExtensionProperties?.(device, null, count, items),
  )
  return decodeExtensions(list.view, list.count)
}

/** What only a chain of structs tells; each is chained when the device knows it. */
function moreProperties({ functions, device, memory }: Device, extensions: readonly string[], apiVersion: number) {
  const id = memory.struct(structs.VkPhysicalDeviceIDProperties)
  const hasDriver = apiVersion >= vulkan12 || extensions.includes('VK_KHR_driver_properties')
  const driver = hasDriver ? memory.struct(structs.VkPhysicalDeviceDriverProperties, id) : null
  const hasPci = extensions.includes('VK_EXT_pci_bus_info')
  const pci = hasPci ? memory.struct(structs.VkPhysicalDevicePCIBusInfoPropertiesEXT, driver ?? id) : null
  const properties = memory.struct(structs.VkPhysicalDeviceProperties2, pci ?? driver ?? id)
  functions.vkGetPhysicalDeviceProperties2?.(device, properties.bytes)
  const told = driver ? decodeDriver(driver.view) : { driver_name: '', driver_info: '' }
  return { ...told, uuid: decodeUuid(id.view), pci_address: pci ? decodePciAddress(pci.view) : null }
}

function queueFamilies({ functions, device, memory }: Device, hasVideo: boolean): QueueFamily[] {
  const ask = functions.vkGetPhysicalDeviceQueueFamilyProperties2
  if (!ask) return []
  const counted = memory.block(4)
  ask(device, counted.bytes, null)
  const count = counted.view.getUint32(0, true)
  const { VkQueueFamilyProperties2: family, VkQueueFamilyVideoPropertiesKHR: video } = structs
  const families = memory.block(family.size * count)
  const videos = memory.block(video.size * count)
  // Every element is read by the driver before it is written, so each needs its head.
  for (let index = 0; index < count; index++) {
    writeHead(videos.view, index * video.size, video)
    const next = hasVideo ? videos.address + BigInt(index * video.size) : 0n
    writeHead(families.view, index * family.size, family, next)
  }
  ask(device, counted.bytes, families.bytes)
  return Array.from({ length: Math.min(count, counted.view.getUint32(0, true)) }, (_, index) =>
    decodeQueueFamily(
      element(families.view, index, 'VkQueueFamilyProperties2'),
      hasVideo ? element(videos.view, index, 'VkQueueFamilyVideoPropertiesKHR') : null,
    ),
  )
}
