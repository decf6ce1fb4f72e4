import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Gpu, GpuApi } from '../../contract/gpu.ts'
import { pciVendors, type VulkanDevice } from '../../contract/vulkan.ts'

/** A video engine that is reached by another API than Vulkan. */
export type Engine = Omit<Gpu, 'capabilities' | 'decode_slots'> & { api: Exclude<GpuApi, 'vulkan'> }

/** What a machine has of engines, as far as it can be seen without a trial. */
export interface EngineHardware {
  /** As `process.platform` has it. */
  platform: string
  /** Whether NVIDIA's driver runs. */
  has_nvidia: boolean
  /** Whether AMD's encoder library is there. */
  has_amf: boolean
  /** Linux' own devices for rendering. */
  render_nodes: RenderNode[]
}

/** One `/dev/dri/renderD*`. */
export interface RenderNode {
  path: string
  /** PCI vendor; null when it is not known. */
  vendor_id: number | null
  /** `0000:01:00.0`; null for what is not on PCI. */
  pci_address: string | null
}

/** Looks at what this machine has. */
export function readEngineHardware(): EngineHardware {
  return {
    platform: process.platform,
    has_nvidia: existsSync('/dev/nvidiactl'),
    has_amf: ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/opt/amdgpu-pro/lib/x86_64-linux-gnu'].some((folder) =>
      existsSync(join(folder, 'libamfrt64.so.1')),
    ),
    render_nodes: process.platform === 'linux' ? readRenderNodes('/dev/dri', '/sys/class/drm') : [],
  }
}

/** Lists the render nodes of a folder of devices, with what sysfs knows of them. */
export function readRenderNodes(devices: string, sysfs: string): RenderNode[] {
  if (!existsSync(devices)) return []
  const names = readdirSync(devices).filter((name) => /^renderD\d+$/.test(name))
  return names.toSorted().map((name) => {
    const vendor = read(() => readFileSync(join(sysfs, name, 'device', 'vendor'), 'utf8').trim())
    const address = basename(read(() => readlinkSync(join(sysfs, name, 'device'))) ?? '')
    const isPci = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/.test(address)
    return {
      path: join(devices, name),
      vendor_id: vendor === undefined ? null : Number(vendor),
      pci_address: isPci ? address : null,
    }
  })
}

function read(from: () => string): string | undefined {
  try {
    return from()
  } catch {
    // No such entry: a node that sysfs does not know, or a container without it.
    return undefined
  }
}

/** Pure: the engines that the hardware may have, by all devices that Vulkan knows. */
export function enginesOf(hardware: EngineHardware, known: readonly VulkanDevice[]): Engine[] {
  const { platform, render_nodes: nodes } = hardware
  const devices = known.filter(({ type }) => type !== 'cpu')
  const isWindows = platform === 'win32'
  const hasVendor = (id: number) => devices.some((device) => device.vendor_id === id)
  // Without Vulkan only a trial shows what a Windows machine has.
  const mayHave = (id: number) => isWindows && (devices.length === 0 || hasVendor(id))
  const hasIntelNode = nodes.some(({ vendor_id }) => vendor_id === null || vendor_id === pciVendors.intel)
  const one = (api: Engine['api'], vendor_id: number, fallback: string): Engine => {
    const device = devices.find((device) => device.vendor_id === vendor_id)
    return { ...engine(api, '', device, fallback), vendor_id }
  }
  return [
    hardware.has_nvidia || mayHave(pciVendors.nvidia) ? [one('nvenc', pciVendors.nvidia, 'NVIDIA GPU (NVENC)')] : [],
    hasIntelNode || mayHave(pciVendors.intel) ? [one('qsv', pciVendors.intel, 'Intel GPU (Quick Sync)')] : [],
    nodes.map((node) => vaapiEngine(node, devices)),
    hardware.has_amf || mayHave(pciVendors.amd) ? [one('amf', pciVendors.amd, 'AMD GPU (AMF)')] : [],
    platform === 'darwin' ? [one('videotoolbox', pciVendors.apple, 'Apple GPU (VideoToolbox)')] : [],
  ].flat()
}

function vaapiEngine({ path, vendor_id, pci_address }: RenderNode, devices: readonly VulkanDevice[]): Engine {
  const device =
    devices.find((device) => pci_address !== null && device.pci_address === pci_address) ??
    devices.find((device) => device.vendor_id === vendor_id && device.pci_address === null)
  const found = engine('vaapi', path, device, `${basename(path)} (VAAPI)`)
  return { ...found, pci_address, vendor_id: vendor_id ?? found.vendor_id }
}

function engine(api: Engine['api'], selector: string, device: VulkanDevice | undefined, fallback: string): Engine {
  return {
    id: selector === '' ? api : `${api}:${selector}`,
    api,
    selector,
    name: device?.name ?? fallback,
    type: device?.type ?? null,
    driver_version: device?.driver_version ?? '',
    pci_address: device?.pci_address ?? null,
    vendor_id: device?.vendor_id ?? null,
  }
}

/**
 * Pure: whether an engine is a device's beyond doubt, among all devices that Vulkan knows. ffmpeg chooses one of VA-API by
 * its render node; the others take whichever card of their vendor they find.
 */
export function isEngineOf(
  { api, pci_address, vendor_id }: Engine,
  device: VulkanDevice,
  known: readonly VulkanDevice[],
): boolean {
  if (api === 'vaapi') return pci_address !== null && pci_address === device.pci_address
  if (vendor_id !== device.vendor_id) return false
  // Two drivers may know one card.
  const ofVendor = known.filter((other) => other.vendor_id === vendor_id && other.type !== 'cpu')
  return new Set(ofVendor.map((other) => other.pci_address ?? other.index)).size === 1
}
