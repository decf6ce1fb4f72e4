import { platform } from 'node:os'
import type { GpuUsage } from '../../contract/gpu.ts'
import { pciVendors } from '../../contract/vulkan.ts'
import { type Nvml, nvmlNames, openNvml } from './nvml.ts'
import { amdUsage, intelMeter } from './sysfs.ts'
import { unknownUsage } from './values.ts'

/** A GPU whose use is asked for. */
export interface MeteredGpu {
  /** `Gpu.id`. Several may be one card, reached by several APIs. */
  id: string
  /** `0000:01:00.0`; null when it is not known, and then nothing can be read. */
  pci_address: string | null
  /** The PCI vendor; 0 when it is not known. */
  vendor_id: number
}

/** Where to read; what is left out is this machine's own. */
export interface UsageReaderOptions {
  gpus: readonly MeteredGpu[]
  /** The folder that sysfs is mounted at. */
  sysfs_root?: string
  /** Names or paths of NVML, best first. */
  nvml_names?: readonly string[]
  /** Milliseconds of a clock that never goes back. */
  now?: () => number
}

/** Whether there is a way to read a GPU's use on a platform of Node's names. Not a promise that its driver tells. */
export function canBeRead({ pci_address, vendor_id }: MeteredGpu, on: string = platform()): boolean {
  if (pci_address === null) return false
  if (vendor_id === pciVendors.nvidia) return nvmlNames(on).length > 0
  return on === 'linux' && (vendor_id === pciVendors.amd || vendor_id === pciVendors.intel)
}

/**
 * Reads the use of GPUs, on each call anew; by `id`, and null where nothing can be read. A call goes into drivers, which
 * may hang or crash: only for a process that is not missed. Some shares are of the time since the call before.
 */
export function usageReader(options: UsageReaderOptions): () => Record<string, GpuUsage> {
  const { gpus, sysfs_root = '/sys', nvml_names = nvmlNames(platform()), now = () => performance.now() } = options
  const intelUsage = intelMeter({ root: sysfs_root, now })
  let nvml: Nvml | undefined
  return () => {
    // Once for each card: a second look at one within this call would be of no time at all.
    const cards = new Map<string, GpuUsage>()
    return Object.fromEntries(
      gpus.map(({ id, pci_address, vendor_id }) => {
        if (pci_address === null) return [id, unknownUsage]
        const usage = cards.get(pci_address) ?? cardUsage(vendor_id, pci_address)
        cards.set(pci_address, usage)
        return [id, usage]
      }),
    )
  }

  function cardUsage(vendorId: number, pciAddress: string): GpuUsage {
    if (vendorId === pciVendors.amd) return amdUsage(sysfs_root, pciAddress)
    if (vendorId === pciVendors.intel) return intelUsage(pciAddress)
    if (vendorId !== pciVendors.nvidia) return unknownUsage
    // Tried again until there is one: a driver may be loaded late.
    nvml ??= openNvml(nvml_names)
    return nvml?.usage(pciAddress) ?? unknownUsage
  }
}
