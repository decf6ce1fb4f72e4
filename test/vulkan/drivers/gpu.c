/*
 * A Vulkan driver of a GPU that is not there, with all of Vulkan Video that the headers know. A C compiler lays out what
 * it reads and writes; it refuses what is not chained as the specification says. Needs the Vulkan headers.
 */
#include <string.h>
#include <vulkan/vk_icd.h>
#include <vulkan/vulkan.h>

static VK_LOADER_DATA instance = {ICD_LOADER_MAGIC}, devices[2] = {{ICD_LOADER_MAGIC}, {ICD_LOADER_MAGIC}};

#ifdef VK_KHR_video_encode_queue
#define HAS_ENCODE (VK_KHR_VIDEO_ENCODE_QUEUE_SPEC_VERSION >= 12)
#else
#define HAS_ENCODE 0
#endif

static const char *extensions[] = {
    "VK_EXT_pci_bus_info", "VK_KHR_video_queue", "VK_KHR_video_decode_queue",
    "VK_KHR_video_decode_h264", "VK_KHR_video_decode_h265",
#ifdef VK_KHR_video_decode_av1
    "VK_KHR_video_decode_av1",
#endif
#ifdef VK_KHR_video_decode_vp9
    "VK_KHR_video_decode_vp9",
#endif
#if HAS_ENCODE
    "VK_KHR_video_encode_queue", "VK_KHR_video_encode_h264", "VK_KHR_video_encode_h265",
#ifdef VK_KHR_video_encode_av1
    "VK_KHR_video_encode_av1",
#endif
#endif
};
#define EXTENSIONS (sizeof extensions / sizeof *extensions)

static VkResult create_instance(const VkInstanceCreateInfo *info, const VkAllocationCallbacks *a, VkInstance *created) {
  if (!info->pApplicationInfo || info->pApplicationInfo->apiVersion < VK_API_VERSION_1_1) return VK_ERROR_UNKNOWN;
  *created = (VkInstance)&instance;
  return VK_SUCCESS;
}

static void destroy_instance(VkInstance i, const VkAllocationCallbacks *a) {}

static VkResult version(uint32_t *version) {
  *version = VK_MAKE_API_VERSION(0, 1, 3, 0);
  return VK_SUCCESS;
}

static VkResult no_instance_extensions(const char *layer, uint32_t *count, VkExtensionProperties *p) {
  *count = 0;
  return VK_SUCCESS;
}

static VkResult list_devices(VkInstance i, uint32_t *count, VkPhysicalDevice *list) {
  for (uint32_t k = 0; list && k < *count && k < 2; k++) list[k] = (VkPhysicalDevice)&devices[k];
  *count = 2;
  return VK_SUCCESS;
}

/* The first is discrete and new; the second knows no more than Vulkan 1.0. */
static void properties(VkPhysicalDevice d, VkPhysicalDeviceProperties *p) {
  int isFirst = (void *)d == &devices[0];
  memset(p, 0, sizeof *p);
  strcpy(p->deviceName, isFirst ? "Fake GPU" : "Old Fake");
  p->apiVersion = isFirst ? VK_MAKE_API_VERSION(0, 1, 3, 301) : VK_MAKE_API_VERSION(0, 1, 0, 7);
  p->driverVersion = isFirst ? 1 : (535u << 22 | 104u << 14 | 5u << 6);
  p->vendorID = 0x10de;
  p->deviceID = isFirst ? 0x2206 : 0x1b80;
  p->deviceType = isFirst ? VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU : VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU;
}

static void properties2(VkPhysicalDevice d, VkPhysicalDeviceProperties2 *p) {
  properties(d, &p->properties);
  for (VkBaseOutStructure *s = p->pNext; s; s = s->pNext) {
    if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES) {
      strcpy(((VkPhysicalDeviceDriverProperties *)s)->driverName, "Fake");
      strcpy(((VkPhysicalDeviceDriverProperties *)s)->driverInfo, "535.104.05");
    } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES) {
      for (int k = 0; k < 16; k++) ((VkPhysicalDeviceIDProperties *)s)->deviceUUID[k] = 0xf0 + k;
    } else if (s->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT) {
      ((VkPhysicalDevicePCIBusInfoPropertiesEXT *)s)->pciBus = 0x1a;
      ((VkPhysicalDevicePCIBusInfoPropertiesEXT *)s)->pciFunction = 1;
    }
  }
}

static void memory(VkPhysicalDevice d, VkPhysicalDeviceMemoryProperties *m) {
  memset(m, 0, sizeof *m);
  m->memoryHeapCount = 2;
  m->memoryHeaps[0] = (VkMemoryHeap){10ull << 30, VK_MEMORY_HEAP_DEVICE_LOCAL_BIT};
  m->memoryHeaps[1] = (VkMemoryHeap){32ull << 30, 0};
}

static VkResult list_extensions(VkPhysicalDevice d, const char *layer, uint32_t *count, VkExtensionProperties *p) {
  uint32_t all = (void *)d == &devices[0] ? EXTENSIONS : 0;
  uint32_t room = *count;
  *count = p && room < all ? room : all;
  for (uint32_t k = 0; p && k < *count; k++) strcpy(p[k].extensionName, extensions[k]);
  return p && room < all ? VK_INCOMPLETE : VK_SUCCESS;
}

static void families(VkPhysicalDevice d, uint32_t *count, VkQueueFamilyProperties *f) { *count = 0; }

static void families2(VkPhysicalDevice d, uint32_t *count, VkQueueFamilyProperties2 *f) {
  if (f && *count >= 2) {
    f[0].queueFamilyProperties = (VkQueueFamilyProperties){.queueFlags = 0xf, .queueCount = 16};
    f[1].queueFamilyProperties = (VkQueueFamilyProperties){.queueFlags = 0x60, .queueCount = 3};
    for (VkBaseOutStructure *s = f[1].pNext; s; s = s->pNext)
      if (s->sType == VK_STRUCTURE_TYPE_QUEUE_FAMILY_VIDEO_PROPERTIES_KHR)
        ((VkQueueFamilyVideoPropertiesKHR *)s)->videoCodecOperations = 0x7000f;
  }
  *count = 2;
}

/* What is chained to what is asked, and to where the answer goes: both must be of the codec that is asked for. */
static VkBool32 chained(const void *first, VkStructureType wanted) {
  const VkBaseInStructure *s = first;
  return s && (s->sType == wanted || chained(s->pNext, wanted));
}

#define CODEC(BIT, NAME, DIRECTION)                                                            \
  case VK_VIDEO_CODEC_OPERATION_##BIT##_BIT_KHR:                                               \
    if (!chained(p->pNext, VK_STRUCTURE_TYPE_VIDEO_##NAME##_PROFILE_INFO_KHR) ||               \
        !chained(c->pNext, VK_STRUCTURE_TYPE_VIDEO_##NAME##_CAPABILITIES_KHR) ||               \
        !chained(c->pNext, VK_STRUCTURE_TYPE_VIDEO_##DIRECTION##_CAPABILITIES_KHR))            \
      return VK_ERROR_UNKNOWN;                                                                 \
    break;

static VkResult capabilities(VkPhysicalDevice d, const VkVideoProfileInfoKHR *p, VkVideoCapabilitiesKHR *c) {
  if (p->sType != VK_STRUCTURE_TYPE_VIDEO_PROFILE_INFO_KHR || c->sType != VK_STRUCTURE_TYPE_VIDEO_CAPABILITIES_KHR)
    return VK_ERROR_UNKNOWN;
  if (p->chromaSubsampling != VK_VIDEO_CHROMA_SUBSAMPLING_420_BIT_KHR) return VK_ERROR_UNKNOWN;
  switch ((int)p->videoCodecOperation) {
    CODEC(DECODE_H264, DECODE_H264, DECODE)
    CODEC(DECODE_H265, DECODE_H265, DECODE)
#ifdef VK_KHR_video_decode_av1
    CODEC(DECODE_AV1, DECODE_AV1, DECODE)
#endif
#ifdef VK_KHR_video_decode_vp9
    CODEC(DECODE_VP9, DECODE_VP9, DECODE)
#endif
#if HAS_ENCODE
    CODEC(ENCODE_H264, ENCODE_H264, ENCODE)
    CODEC(ENCODE_H265, ENCODE_H265, ENCODE)
#ifdef VK_KHR_video_encode_av1
    CODEC(ENCODE_AV1, ENCODE_AV1, ENCODE)
#endif
#endif
    default: return VK_ERROR_VIDEO_PROFILE_CODEC_NOT_SUPPORTED_KHR;
  }
  /* The baseline profile of H.264 is refused, and so are all of VP9. */
  if (p->videoCodecOperation == VK_VIDEO_CODEC_OPERATION_DECODE_H264_BIT_KHR &&
      ((const VkVideoDecodeH264ProfileInfoKHR *)p->pNext)->stdProfileIdc == STD_VIDEO_H264_PROFILE_IDC_BASELINE)
    return VK_ERROR_VIDEO_PROFILE_OPERATION_NOT_SUPPORTED_KHR;
  if (p->videoCodecOperation == 8) return VK_ERROR_VIDEO_PROFILE_FORMAT_NOT_SUPPORTED_KHR;
  /* With 10 bits the pictures may be half as wide. */
  c->minCodedExtent = (VkExtent2D){p->lumaBitDepth == VK_VIDEO_COMPONENT_BIT_DEPTH_10_BIT_KHR ? 64 : 48, 16};
  c->maxCodedExtent = (VkExtent2D){p->lumaBitDepth == VK_VIDEO_COMPONENT_BIT_DEPTH_10_BIT_KHR ? 4096 : 8192, 4352};
  c->maxDpbSlots = 17;
  c->maxActiveReferencePictures = 16;
#if HAS_ENCODE
  for (VkBaseOutStructure *s = c->pNext; s; s = s->pNext)
    if (s->sType == VK_STRUCTURE_TYPE_VIDEO_ENCODE_CAPABILITIES_KHR) {
      VkVideoEncodeCapabilitiesKHR *e = (VkVideoEncodeCapabilitiesKHR *)s;
      e->rateControlModes = VK_VIDEO_ENCODE_RATE_CONTROL_MODE_CBR_BIT_KHR | VK_VIDEO_ENCODE_RATE_CONTROL_MODE_VBR_BIT_KHR;
      e->maxBitrate = 800000000;
      e->maxQualityLevels = 7;
    }
#endif
  return VK_SUCCESS;
}

static VkResult succeed(void) { return VK_SUCCESS; }

VkResult vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  *version = 3;
  return VK_SUCCESS;
}

#define GIVE(NAME, FUNCTION) if (!strcmp(name, NAME)) return (PFN_vkVoidFunction)FUNCTION

PFN_vkVoidFunction vk_icdGetInstanceProcAddr(VkInstance i, const char *name) {
  GIVE("vkEnumerateInstanceVersion", version);
  GIVE("vkCreateInstance", create_instance);
  GIVE("vkDestroyInstance", destroy_instance);
  GIVE("vkEnumerateInstanceExtensionProperties", no_instance_extensions);
  GIVE("vkEnumeratePhysicalDevices", list_devices);
  GIVE("vkGetPhysicalDeviceProperties", properties);
  GIVE("vkGetPhysicalDeviceProperties2", properties2);
  GIVE("vkGetPhysicalDeviceMemoryProperties", memory);
  GIVE("vkEnumerateDeviceExtensionProperties", list_extensions);
  GIVE("vkGetPhysicalDeviceQueueFamilyProperties", families);
  GIVE("vkGetPhysicalDeviceQueueFamilyProperties2", families2);
  GIVE("vkGetPhysicalDeviceVideoCapabilitiesKHR", capabilities);
  return strncmp(name, "vk_icd", 6) ? (PFN_vkVoidFunction)succeed : 0;
}
