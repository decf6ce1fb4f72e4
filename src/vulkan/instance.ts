import type { ProbeEvent } from '../contract/vulkan.ts'
import { check, enumerate, ProbeFailure } from './calls.ts'
import { decodeExtensions, decodeLayers, versionText } from './decode.ts'
import { constants, structs } from './layout.ts'
import type { GlobalFunctions, VulkanLibrary } from './library.ts'
import type { Block, Memory } from './memory.ts'

/** What is asked for. */
export interface ProbeRequest {
  library: VulkanLibrary
  /** Node's name of the system. */
  platform: string
  /** Whether the validation layer is to watch. */
  validate: boolean
  /** Takes each thing as soon as it is known. */
  tell: (event: ProbeEvent) => void
}

const vulkan13 = (1 << 22) | (3 << 12)
const validationLayer = 'VK_LAYER_KHRONOS_validation'
const portability = 'VK_KHR_portability_enumeration'

/** Makes an instance, with the validation layer when it is asked for and there; its handle. Throws `ProbeFailure`. */
export function createInstance({ library, platform, validate, tell }: ProbeRequest, memory: Memory): bigint {
  const { global } = library
  tell({ kind: 'step', step: 'the loader was asked for its layers' })
  const layers = enumerate(
    'vkEnumerateInstanceLayerProperties',
    structs.VkLayerProperties.size,
    memory,
    (count, items) => global.vkEnumerateInstanceLayerProperties?.(count, items),
  )
  const known = decodeLayers(layers.view, layers.count)
  tell({ kind: 'loader', loader: { library: library.name, version: loaderVersion(global, memory) }, layers: known })
  const hasLayer = known.some(({ name }) => name === validationLayer)
  if (validate) {
    const reason = `the layer ${validationLayer} is not here: install vulkan-validationlayers or the Vulkan SDK`
    tell({ kind: 'validation', enabled: hasLayer, reason: hasLayer ? null : reason })
  }
  // MoltenVK is not wholly conformant, and hidden from those who do not ask for such.
  const isPortable = platform === 'darwin' && instanceExtensions(global, memory).includes(portability)
  const created = memory.block(8)
  const info = instanceInfo(memory, validate && hasLayer ? [validationLayer] : [], isPortable ? [portability] : [])
  tell({ kind: 'step', step: 'the drivers were loaded (vkCreateInstance)' })
  const result = global.vkCreateInstance?.(info.bytes, null, created.bytes)
  if (result === constants.VK_ERROR_INCOMPATIBLE_DRIVER) throw new ProbeFailure('no_driver', noDriver(platform))
  check('vkCreateInstance', result)
  return created.view.getBigUint64(0, true)
}

function noDriver(platform: string): string {
  const remedy =
    platform === 'linux'
      ? "install the GPU's driver (mesa-vulkan-drivers for AMD and Intel, NVIDIA's own with libgl1 beside it)"
      : "install the GPU's driver"
  return `the Vulkan loader found no driver that it could load: ${remedy}`
}

function loaderVersion(global: GlobalFunctions, memory: Memory): string {
  const version = memory.block(4)
  if (!global.vkEnumerateInstanceVersion) {
    throw new ProbeFailure('failed', 'the Vulkan loader is of Vulkan 1.0: install libvulkan1 1.1 or newer')
  }
  check('vkEnumerateInstanceVersion', global.vkEnumerateInstanceVersion(version.bytes))
  return versionText(version.view.getUint32(0, true))
}

function instanceExtensions(global: GlobalFunctions, memory: Memory): string[] {
  const stride = structs.VkExtensionProperties.size
  const list = enumerate('vkEnumerateInstanceExtensionProperties', stride, memory, (count, items) =>
    global.vkEnumerateInstanceExtensionProperties?.(null, count, items),
  )
  return decodeExtensions(list.view, list.count)
}

/** A `VkInstanceCreateInfo`. Below Vulkan 1.1 the functions whose names end in 2 would be missing. */
function instanceInfo(memory: Memory, layers: readonly string[], extensions: readonly string[]): Block {
  const application = memory.struct(structs.VkApplicationInfo)
  application.view.setBigUint64(
    structs.VkApplicationInfo.offsets.pApplicationName,
    memory.text('darkstream').address,
    true,
  )
  application.view.setUint32(structs.VkApplicationInfo.offsets.apiVersion, vulkan13, true)
  const info = memory.struct(structs.VkInstanceCreateInfo)
  const at = structs.VkInstanceCreateInfo.offsets
  if (extensions.includes(portability)) {
    info.view.setUint32(at.flags, constants.VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR, true)
  }
  info.view.setBigUint64(at.pApplicationInfo, application.address, true)
  info.view.setUint32(at.enabledLayerCount, layers.length, true)
  info.view.setBigUint64(at.ppEnabledLayerNames, memory.texts(layers).address, true)
  info.view.setUint32(at.enabledExtensionCount, extensions.length, true)
  info.view.setBigUint64(at.ppEnabledExtensionNames, memory.texts(extensions).address, true)
  return info
}
