import { type FFIFunction, linkSymbols, ptr } from 'bun:ffi'
import { openLibrary } from './open-library.ts'

/** How the functions of Vulkan look from here: a C pointer is the bytes that it points to, a handle is a number. */
interface ArgumentTypes {
  ptr: Uint8Array | null
  u64: bigint
}
interface ReturnTypes {
  i32: number
  void: void
}
interface Prototype {
  readonly args: readonly (keyof ArgumentTypes)[]
  readonly returns: keyof ReturnTypes
}
type Arguments<A extends readonly (keyof ArgumentTypes)[]> = { -readonly [I in keyof A]: ArgumentTypes[A[I]] }
type Functions<P extends Record<string, Prototype>> = {
  [N in keyof P]: ((...args: Arguments<P[N]['args']>) => ReturnTypes[P[N]['returns']]) | undefined
}

const globalPrototypes = {
  /** `VkResult vkEnumerateInstanceVersion(uint32_t* pApiVersion)`; missing in a loader of Vulkan 1.0 */
  vkEnumerateInstanceVersion: { args: ['ptr'], returns: 'i32' },
  /** `VkResult vkEnumerateInstanceLayerProperties(uint32_t* pPropertyCount, VkLayerProperties* pProperties)` */
  vkEnumerateInstanceLayerProperties: { args: ['ptr', 'ptr'], returns: 'i32' },
  /**
   * `VkResult vkEnumerateInstanceExtensionProperties(const char* pLayerName, uint32_t* pPropertyCount,
   * VkExtensionProperties* pProperties)`
   */
  vkEnumerateInstanceExtensionProperties: { args: ['ptr', 'ptr', 'ptr'], returns: 'i32' },
  /**
   * `VkResult vkCreateInstance(const VkInstanceCreateInfo* pCreateInfo, const VkAllocationCallbacks* pAllocator,
   * VkInstance* pInstance)`
   */
  vkCreateInstance: { args: ['ptr', 'ptr', 'ptr'], returns: 'i32' },
} as const satisfies Record<string, Prototype>

const instancePrototypes = {
  /** `void vkDestroyInstance(VkInstance instance, const VkAllocationCallbacks* pAllocator)` */
  vkDestroyInstance: { args: ['u64', 'ptr'], returns: 'void' },
  /**
   * `VkResult vkEnumeratePhysicalDevices(VkInstance instance, uint32_t* pPhysicalDeviceCount,
   * VkPhysicalDevice* pPhysicalDevices)`
   */
  vkEnumeratePhysicalDevices: { args: ['u64', 'ptr', 'ptr'], returns: 'i32' },
  /** `void vkGetPhysicalDeviceProperties(VkPhysicalDevice physicalDevice, VkPhysicalDeviceProperties* pProperties)` */
  vkGetPhysicalDeviceProperties: { args: ['u64', 'ptr'], returns: 'void' },
  /** `void vkGetPhysicalDeviceProperties2(VkPhysicalDevice physicalDevice, VkPhysicalDeviceProperties2* pProperties)` */
  vkGetPhysicalDeviceProperties2: { args: ['u64', 'ptr'], returns: 'void' },
  /**
   * `void vkGetPhysicalDeviceMemoryProperties(VkPhysicalDevice physicalDevice,
   * VkPhysicalDeviceMemoryProperties* pMemoryProperties)`
   */
  vkGetPhysicalDeviceMemoryProperties: { args: ['u64', 'ptr'], returns: 'void' },
  /**
   * `VkResult vkEnumerateDeviceExtensionProperties(VkPhysicalDevice physicalDevice, const char* pLayerName,
   * uint32_t* pPropertyCount, VkExtensionProperties* pProperties)`
   */
  vkEnumerateDeviceExtensionProperties: { args: ['u64', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
  /**
   * `void vkGetPhysicalDeviceQueueFamilyProperties2(VkPhysicalDevice physicalDevice,
   * uint32_t* pQueueFamilyPropertyCount, VkQueueFamilyProperties2* pQueueFamilyProperties)`
   */
  vkGetPhysicalDeviceQueueFamilyProperties2: { args: ['u64', 'ptr', 'ptr'], returns: 'void' },
  /**
   * `VkResult vkGetPhysicalDeviceVideoCapabilitiesKHR(VkPhysicalDevice physicalDevice,
   * const VkVideoProfileInfoKHR* pVideoProfile, VkVideoCapabilitiesKHR* pCapabilities)`
   *
   * Found also where no driver has it, and then a call ends the process: only for a device with VK_KHR_video_queue.
   */
  vkGetPhysicalDeviceVideoCapabilitiesKHR: { args: ['u64', 'ptr', 'ptr'], returns: 'i32' },
} as const satisfies Record<string, Prototype>

/** The functions that need no instance; undefined is what the loader does not have. */
export type GlobalFunctions = Functions<typeof globalPrototypes>
/** The functions of one instance. */
export type InstanceFunctions = Functions<typeof instancePrototypes>

/** An opened libvulkan. It is never closed: drivers leave threads behind that would fall through. */
export interface VulkanLibrary {
  /** The name by which it was found. */
  name: string
  /** The address of what a typed array holds; it stays right for as long as the array is referenced. */
  addressOf: (bytes: Uint8Array) => bigint
  global: GlobalFunctions
  forInstance: (instance: bigint) => InstanceFunctions
}

/** None of the names could be opened; the message is the system's, of the first. */
export class NoLibraryError extends Error {}

/** What libvulkan is called on a platform of Node's names, best first. MoltenVK alone does without a loader. */
export function libraryNames(platform: string): readonly string[] {
  if (platform === 'win32') return ['vulkan-1.dll']
  if (platform === 'darwin') return ['libvulkan.1.dylib', 'libvulkan.dylib', 'libMoltenVK.dylib']
  return ['libvulkan.so.1', 'libvulkan.so']
}

/** Opens the first of these libraries that is there. Throws `NoLibraryError`. */
export function openVulkan(names: readonly string[]): VulkanLibrary {
  const failures: string[] = []
  for (const name of names) {
    try {
      return wrap(name, getInstanceProcAddr(name))
    } catch (error) {
      failures.push((error as Error).message)
    }
  }
  throw new NoLibraryError(failures[0] ?? 'no name to look for')
}

/** `PFN_vkVoidFunction vkGetInstanceProcAddr(VkInstance instance, const char* pName)` */
type GetInstanceProcAddr = (instance: bigint, name: Uint8Array) => number | bigint | null

function getInstanceProcAddr(name: string): GetInstanceProcAddr {
  return openLibrary(name, { vkGetInstanceProcAddr: { args: ['u64', 'ptr'], returns: 'ptr' } }).vkGetInstanceProcAddr
}

function wrap(name: string, getInstanceProcAddr: GetInstanceProcAddr): VulkanLibrary {
  const link = (instance: bigint, prototypes: Record<string, Prototype>): unknown => {
    const symbols = Object.entries(prototypes).flatMap(([symbol, { args, returns }]) => {
      const address = getInstanceProcAddr(instance, new TextEncoder().encode(`${symbol}\0`))
      return address ? [[symbol, { ptr: address, args, returns } as FFIFunction] as const] : []
    })
    return linkSymbols(Object.fromEntries(symbols)).symbols
  }
  return {
    name,
    addressOf: (bytes) => BigInt(ptr(bytes)),
    global: link(0n, globalPrototypes) as GlobalFunctions,
    forInstance: (instance) => link(instance, instancePrototypes) as InstanceFunctions,
  }
}
