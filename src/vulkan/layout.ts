/**
 * How the C structs of vulkan_core.h lie in memory under every 64-bit ABI that we build for: sizes and offsets in bytes,
 * little-endian. Only the fields that we touch. From the headers of Vulkan 1.4.363; test/vulkan/layout.test.ts has a C
 * compiler agree.
 */
export interface Layout {
  size: number
  /** Its `VkStructureType`; such a struct begins with `sType` at 0 and `pNext` at 8. Null: a plain struct. */
  type: number | null
  offsets: Readonly<Record<string, number>>
}

/** By their names in C. */
export const structs = {
  // Alignment is 4, so an array's stride is 260, not 264.
  VkExtensionProperties: { size: 260, type: null, offsets: { extensionName: 0 } },
  VkLayerProperties: {
    size: 520,
    type: null,
    offsets: { layerName: 0, specVersion: 256, implementationVersion: 260, description: 264 },
  },
  VkApplicationInfo: { size: 48, type: 0, offsets: { pApplicationName: 16, apiVersion: 44 } },
  VkInstanceCreateInfo: {
    size: 64,
    type: 1,
    offsets: {
      flags: 16,
      pApplicationInfo: 24,
      enabledLayerCount: 32,
      ppEnabledLayerNames: 40,
      enabledExtensionCount: 48,
      ppEnabledExtensionNames: 56,
    },
  },
  VkPhysicalDeviceProperties: {
    size: 824,
    type: null,
    offsets: { apiVersion: 0, driverVersion: 4, vendorID: 8, deviceID: 12, deviceType: 16, deviceName: 20 },
  },
  VkPhysicalDeviceProperties2: { size: 840, type: 1000059001, offsets: { properties: 16 } },
  VkPhysicalDeviceDriverProperties: {
    size: 536,
    type: 1000196000,
    offsets: { driverID: 16, driverName: 20, driverInfo: 276 },
  },
  VkPhysicalDeviceIDProperties: { size: 64, type: 1000071004, offsets: { deviceUUID: 16, driverUUID: 32 } },
  VkPhysicalDevicePCIBusInfoPropertiesEXT: {
    size: 32,
    type: 1000212000,
    offsets: { pciDomain: 16, pciBus: 20, pciDevice: 24, pciFunction: 28 },
  },
  VkMemoryHeap: { size: 16, type: null, offsets: { size: 0, flags: 8 } },
  VkPhysicalDeviceMemoryProperties: { size: 520, type: null, offsets: { memoryHeapCount: 260, memoryHeaps: 264 } },
  VkQueueFamilyProperties: { size: 24, type: null, offsets: { queueFlags: 0, queueCount: 4 } },
  VkQueueFamilyProperties2: { size: 40, type: 1000059005, offsets: { queueFamilyProperties: 16 } },
  VkQueueFamilyVideoPropertiesKHR: { size: 24, type: 1000023012, offsets: { videoCodecOperations: 16 } },
  VkVideoProfileInfoKHR: {
    size: 32,
    type: 1000023000,
    offsets: { videoCodecOperation: 16, chromaSubsampling: 20, lumaBitDepth: 24, chromaBitDepth: 28 },
  },
  VkVideoDecodeH264ProfileInfoKHR: { size: 24, type: 1000040003, offsets: { stdProfileIdc: 16, pictureLayout: 20 } },
  VkVideoDecodeH265ProfileInfoKHR: { size: 24, type: 1000187003, offsets: { stdProfileIdc: 16 } },
  VkVideoDecodeAV1ProfileInfoKHR: { size: 24, type: 1000512003, offsets: { stdProfile: 16, filmGrainSupport: 20 } },
  VkVideoDecodeVP9ProfileInfoKHR: { size: 24, type: 1000514003, offsets: { stdProfile: 16 } },
  VkVideoEncodeH264ProfileInfoKHR: { size: 24, type: 1000038007, offsets: { stdProfileIdc: 16 } },
  VkVideoEncodeH265ProfileInfoKHR: { size: 24, type: 1000039007, offsets: { stdProfileIdc: 16 } },
  VkVideoEncodeAV1ProfileInfoKHR: { size: 24, type: 1000513005, offsets: { stdProfile: 16 } },
  VkVideoCapabilitiesKHR: {
    size: 336,
    type: 1000023001,
    offsets: { minCodedExtent: 48, maxCodedExtent: 56, maxDpbSlots: 64, maxActiveReferencePictures: 68 },
  },
  VkVideoDecodeCapabilitiesKHR: { size: 24, type: 1000024001, offsets: {} },
  VkVideoEncodeCapabilitiesKHR: {
    size: 56,
    type: 1000299003,
    offsets: { rateControlModes: 20, maxBitrate: 32, maxQualityLevels: 40 },
  },
  VkVideoDecodeH264CapabilitiesKHR: { size: 32, type: 1000040000, offsets: {} },
  VkVideoDecodeH265CapabilitiesKHR: { size: 24, type: 1000187000, offsets: {} },
  VkVideoDecodeAV1CapabilitiesKHR: { size: 24, type: 1000512000, offsets: {} },
  VkVideoDecodeVP9CapabilitiesKHR: { size: 24, type: 1000514001, offsets: {} },
  VkVideoEncodeH264CapabilitiesKHR: { size: 72, type: 1000038000, offsets: {} },
  VkVideoEncodeH265CapabilitiesKHR: { size: 88, type: 1000039000, offsets: {} },
  VkVideoEncodeAV1CapabilitiesKHR: { size: 128, type: 1000513000, offsets: {} },
} as const satisfies Record<string, Layout>

/** By their names in C. */
export const constants = {
  VK_INCOMPLETE: 5,
  VK_ERROR_OUT_OF_HOST_MEMORY: -1,
  VK_ERROR_OUT_OF_DEVICE_MEMORY: -2,
  VK_ERROR_INITIALIZATION_FAILED: -3,
  VK_ERROR_DEVICE_LOST: -4,
  VK_ERROR_LAYER_NOT_PRESENT: -6,
  VK_ERROR_EXTENSION_NOT_PRESENT: -7,
  VK_ERROR_INCOMPATIBLE_DRIVER: -9,
  VK_ERROR_UNKNOWN: -13,
  VK_ERROR_VIDEO_PICTURE_LAYOUT_NOT_SUPPORTED_KHR: -1000023001,
  VK_ERROR_VIDEO_PROFILE_OPERATION_NOT_SUPPORTED_KHR: -1000023002,
  VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR: -1000023003,
  VK_ERROR_VIDEO_PROFILE_CODEC_NOT_SUPPORTED_KHR: -1000023004,
  VK_ERROR_VIDEO_STD_VERSION_NOT_SUPPORTED_KHR: -1000023005,
  VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR: 1,
  VK_PHYSICAL_DEVICE_TYPE_OTHER: 0,
  VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU: 1,
  VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU: 2,
  VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU: 3,
  VK_PHYSICAL_DEVICE_TYPE_CPU: 4,
  VK_MEMORY_HEAP_DEVICE_LOCAL_BIT: 1,
  VK_QUEUE_GRAPHICS_BIT: 0x1,
  VK_QUEUE_COMPUTE_BIT: 0x2,
  VK_QUEUE_TRANSFER_BIT: 0x4,
  VK_QUEUE_SPARSE_BINDING_BIT: 0x8,
  VK_QUEUE_PROTECTED_BIT: 0x10,
  VK_QUEUE_VIDEO_DECODE_BIT_KHR: 0x20,
  VK_QUEUE_VIDEO_ENCODE_BIT_KHR: 0x40,
  VK_QUEUE_OPTICAL_FLOW_BIT_NV: 0x100,
  VK_VIDEO_CODEC_OPERATION_DECODE_H264_BIT_KHR: 0x1,
  VK_VIDEO_CODEC_OPERATION_DECODE_H265_BIT_KHR: 0x2,
  VK_VIDEO_CODEC_OPERATION_DECODE_AV1_BIT_KHR: 0x4,
  VK_VIDEO_CODEC_OPERATION_DECODE_VP9_BIT_KHR: 0x8,
  VK_VIDEO_CODEC_OPERATION_ENCODE_H264_BIT_KHR: 0x10000,
  VK_VIDEO_CODEC_OPERATION_ENCODE_H265_BIT_KHR: 0x20000,
  VK_VIDEO_CODEC_OPERATION_ENCODE_AV1_BIT_KHR: 0x40000,
  VK_VIDEO_CHROMA_SUBSAMPLING_420_BIT_KHR: 0x2,
  VK_VIDEO_COMPONENT_BIT_DEPTH_8_BIT_KHR: 0x1,
  VK_VIDEO_COMPONENT_BIT_DEPTH_10_BIT_KHR: 0x4,
  VK_VIDEO_ENCODE_RATE_CONTROL_MODE_DISABLED_BIT_KHR: 0x1,
  VK_VIDEO_ENCODE_RATE_CONTROL_MODE_CBR_BIT_KHR: 0x2,
  VK_VIDEO_ENCODE_RATE_CONTROL_MODE_VBR_BIT_KHR: 0x4,
  VK_VIDEO_DECODE_H264_PICTURE_LAYOUT_PROGRESSIVE_KHR: 0,
  STD_VIDEO_H264_PROFILE_IDC_BASELINE: 66,
  STD_VIDEO_H264_PROFILE_IDC_MAIN: 77,
  STD_VIDEO_H264_PROFILE_IDC_HIGH: 100,
  STD_VIDEO_H265_PROFILE_IDC_MAIN: 1,
  STD_VIDEO_H265_PROFILE_IDC_MAIN_10: 2,
  STD_VIDEO_AV1_PROFILE_MAIN: 0,
  STD_VIDEO_VP9_PROFILE_0: 0,
  STD_VIDEO_VP9_PROFILE_2: 2,
} as const

/** A `VkResult` by its name in C; one that we have no name for as its number. */
export function resultName(result: number): string {
  const found = Object.entries(constants).find(([name, value]) => name.startsWith('VK_ERROR_') && value === result)
  return found?.[0] ?? `VkResult ${result}`
}
