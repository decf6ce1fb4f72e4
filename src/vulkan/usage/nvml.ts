import type { GpuUsage } from '../../contract/gpu.ts'
import { openLibrary, type Symbols } from '../open-library.ts'
import { percent, share, unknownUsage } from './values.ts'

/** NVIDIA's management library, opened and initialised. It is never shut down: it ends with its process. */
export interface Nvml {
  /**
   * The use of the GPU at a PCI address (`0000:01:00.0`). Null is what NVML does not tell: an address that it does not
   * know, a call that this GPU does not support, a GPU that fell off the bus. An encoder's use is 0, not null, on a card
   * that has no encoder (measured on an H100).
   */
  usage: (pciAddress: string) => GpuUsage
}

/** Prototypes as in nvml.h; an `nvmlReturn_t` is an enum, 0 is NVML_SUCCESS. */
const prototypes = {
  /** `nvmlReturn_t nvmlInit_v2(void)` */
  nvmlInit_v2: { args: [], returns: 'i32' },
  /** `nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *pciBusId, nvmlDevice_t *device)`; a handle is a pointer */
  nvmlDeviceGetHandleByPciBusId_v2: { args: ['ptr', 'ptr'], returns: 'i32' },
  /** `nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *utilization)` */
  nvmlDeviceGetUtilizationRates: { args: ['u64', 'ptr'], returns: 'i32' },
  /**
   * `nvmlReturn_t nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned int *utilization,
   * unsigned int *samplingPeriodUs)`
   */
  nvmlDeviceGetEncoderUtilization: { args: ['u64', 'ptr', 'ptr'], returns: 'i32' },
  /**
   * `nvmlReturn_t nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, unsigned int *utilization,
   * unsigned int *samplingPeriodUs)`
   */
  nvmlDeviceGetDecoderUtilization: { args: ['u64', 'ptr', 'ptr'], returns: 'i32' },
  /** `nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory)` */
  nvmlDeviceGetMemoryInfo: { args: ['u64', 'ptr'], returns: 'i32' },
} as const

const NVML_SUCCESS = 0

/** What NVML is called on a platform of Node's names; empty where NVIDIA has no driver. */
export function nvmlNames(platform: string): readonly string[] {
  if (platform === 'win32') return ['nvml.dll']
  return platform === 'linux' ? ['libnvidia-ml.so.1'] : []
}

/**
 * Opens and initialises the first of these libraries that is there, which may take seconds where no other program holds
 * the driver. Undefined when there is none, it lacks a function, or it does not initialise (no driver, or another
 * version's).
 */
export function openNvml(names: readonly string[]): Nvml | undefined {
  for (const name of names) {
    const nvml = opened(name)
    if (nvml?.nvmlInit_v2() === NVML_SUCCESS) return { usage: (pciAddress) => usageOf(nvml, pciAddress) }
  }
  return undefined
}

function opened(name: string): Functions | undefined {
  try {
    return openLibrary(name, prototypes)
  } catch {
    return undefined
  }
}

type Functions = Symbols<typeof prototypes>

/** The handle is asked for each time: one of a GPU that was reset or taken out is of no use. */
function usageOf(nvml: Functions, pciAddress: string): GpuUsage {
  const found = new BigUint64Array(1)
  const name = new TextEncoder().encode(`${pciAddress}\0`)
  if (nvml.nvmlDeviceGetHandleByPciBusId_v2(name, found) !== NVML_SUCCESS) return unknownUsage
  const device = found[0] ?? 0n
  const engine = (ask: Functions['nvmlDeviceGetEncoderUtilization']) => {
    const value = new Uint32Array(1)
    const samplingPeriodUs = new Uint32Array(1)
    return ask(device, value, samplingPeriodUs) === NVML_SUCCESS ? percent(value[0] ?? null) : null
  }
  return {
    usage: coreUsage(nvml, device),
    encoder_usage: engine(nvml.nvmlDeviceGetEncoderUtilization),
    decoder_usage: engine(nvml.nvmlDeviceGetDecoderUtilization),
    memory_usage: memoryUsage(nvml, device),
  }
}

function coreUsage(nvml: Functions, device: bigint): number | null {
  // struct nvmlUtilization_t { unsigned int gpu; unsigned int memory; }, percent of time; memory is its bus, not its fill.
  const utilization = new Uint32Array(2)
  if (nvml.nvmlDeviceGetUtilizationRates(device, utilization) !== NVML_SUCCESS) return null
  return percent(utilization[0] ?? null)
}

function memoryUsage(nvml: Functions, device: bigint): number | null {
  // struct nvmlMemory_t { unsigned long long total; unsigned long long free; unsigned long long used; }, bytes; used holds
  // what the driver keeps for itself too (0.6 % of an idle H100).
  const memory = new BigUint64Array(3)
  if (nvml.nvmlDeviceGetMemoryInfo(device, memory) !== NVML_SUCCESS) return null
  return share(Number(memory[2] ?? 0n), Number(memory[0] ?? 0n))
}
