/* A libnvidia-ml of one GPU, at 0000:01:00.0, that is in full use. Needs no headers. -DNO_DRIVER: it does not initialise;
 * -DUNSUPPORTED: the GPU is known, and tells nothing; -DODD: it tells what cannot be; -DPOOR: a function is missing;
 * -DHANG, -DCRASH: its second look does not come back. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { NVML_SUCCESS = 0, NVML_ERROR_NOT_SUPPORTED = 3, NVML_ERROR_NOT_FOUND = 6, NVML_ERROR_DRIVER_NOT_LOADED = 9 };

typedef struct nvmlDevice_st { int looks; } *nvmlDevice_t;
typedef struct { unsigned int gpu, memory; } nvmlUtilization_t;
typedef struct { unsigned long long total, free, used; } nvmlMemory_t;

static struct nvmlDevice_st the_device;

int nvmlInit_v2(void) {
#ifdef NO_DRIVER
  return NVML_ERROR_DRIVER_NOT_LOADED;
#else
  return NVML_SUCCESS;
#endif
}

int nvmlDeviceGetHandleByPciBusId_v2(const char *pci_bus_id, nvmlDevice_t *device) {
  if (strcmp(pci_bus_id, "0000:01:00.0")) return NVML_ERROR_NOT_FOUND;
  *device = &the_device;
  return NVML_SUCCESS;
}

int nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization) {
#ifdef UNSUPPORTED
  utilization->gpu = 50;
  return NVML_ERROR_NOT_SUPPORTED;
#endif
  device->looks++;
#ifdef HANG
  while (device->looks > 1) pause();
#elif defined CRASH
  if (device->looks > 1) raise(SIGSEGV);
#endif
#ifdef ODD
  utilization->gpu = 101;
#else
  utilization->gpu = 87;
#endif
  utilization->memory = 99;
  return NVML_SUCCESS;
}

static int engine(unsigned int use, unsigned int *utilization, unsigned int *sampling_period_us) {
  *utilization = use;
  *sampling_period_us = 100000;
#ifdef UNSUPPORTED
  return NVML_ERROR_NOT_SUPPORTED;
#else
  return NVML_SUCCESS;
#endif
}

int nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned int *utilization, unsigned int *sampling_period_us) {
#ifdef ODD
  return engine(0xffffffff, utilization, sampling_period_us);
#else
  return engine(12, utilization, sampling_period_us);
#endif
}

#ifndef POOR
int nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, unsigned int *utilization, unsigned int *sampling_period_us) {
  return engine(0, utilization, sampling_period_us);
}
#endif

int nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory) {
  /* More than 32 bits hold. */
  memory->total = 80ull << 30;
  memory->free = 70ull << 30;
  memory->used = 10ull << 30;
#ifdef ODD
  memory->total = 0;
#endif
#ifdef UNSUPPORTED
  return NVML_ERROR_NOT_SUPPORTED;
#else
  return NVML_SUCCESS;
#endif
}
