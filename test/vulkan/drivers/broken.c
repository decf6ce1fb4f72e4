/* A Vulkan driver that fails when its devices are listed. Needs no headers. -DHANG: it hangs;
 * -DQUIET: it has none; else it crashes. */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/* A handle begins with a word for the loader, which writes its own table there. */
static uintptr_t instance = 0x01CDC0DE; /* ICD_LOADER_MAGIC */

static int succeed(void) { return 0; }

static int create_instance(const void *info, const void *allocator, void **created) {
  *created = &instance;
  return 0;
}

static int no_extensions(const char *layer, uint32_t *count, void *extensions) {
  *count = 0;
  return 0;
}

static int list_devices(void *instance, uint32_t *count, void *devices) {
#if defined HANG
  for (;;) pause();
#elif defined QUIET
  *count = 0;
#else
  raise(SIGSEGV);
#endif
  return 0;
}

int vk_icdNegotiateLoaderICDInterfaceVersion(uint32_t *version) {
  *version = 3;
  return 0;
}

void *vk_icdGetInstanceProcAddr(void *instance, const char *name) {
  if (!strcmp(name, "vkCreateInstance")) return (void *)create_instance;
  if (!strcmp(name, "vkEnumerateInstanceExtensionProperties")) return (void *)no_extensions;
  if (!strcmp(name, "vkEnumeratePhysicalDevices")) return (void *)list_devices;
  return strncmp(name, "vk_icd", 6) ? (void *)succeed : 0;
}
