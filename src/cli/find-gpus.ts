import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Gpu, GpuCapability } from '../contract/gpu.ts'
import type { VulkanDevice, VulkanProblem, VulkanReport } from '../contract/vulkan.ts'
import type { GpuMode } from '../pipeline/gpu-access.ts'
import {
  type Engine,
  type EngineHardware,
  enginesOf,
  isEngineOf,
  readEngineHardware,
} from '../pipeline/prove/engines.ts'
import { proveGpus } from '../pipeline/prove/prove-gpus.ts'
import type { Tools } from '../pipeline/tools.ts'
import { allowedDevices, chooseDevice } from '../vulkan/choose.ts'
import { askVulkan } from './ask-vulkan.ts'

/** What to look with, and where to keep what a test has shown. */
export interface FindGpusRequest {
  config: Pick<Config, 'ffmpeg' | 'vulkan'>
  tools: Tools
  /** Conversions that shall run side by side. */
  concurrency: number
  /** Proofs and measurements of this machine lie here. */
  cache_folder: string
  /** Where trials write; the system's folder for such unless told. */
  temporary_folder?: string
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Tries again what was tried before; false unless told. */
  fresh?: boolean
}

/** The GPUs of this machine that the configuration allows. */
export interface FoundGpus {
  mode: GpuMode
  /** Each with what it has proved, in the order of choice; empty when none is to be used. */
  gpus: Gpu[]
  /** Null when no driver was asked. */
  vulkan: VulkanReport | null
  /** Why no GPU will be used, a sentence; null when one will, or none is wanted. */
  problem: string | null
  /** Whether there seems to be a GPU at all. */
  has_gpu: boolean
}

/** What Vulkan says on a machine that has no GPU, or none that anybody set up. */
const noGpuCodes = new Set<VulkanProblem['code']>(['no_loader', 'no_driver', 'no_device', 'only_cpu'])

/** Asks the drivers, then tries with ffmpeg what they claim. */
export async function findGpus(request: FindGpusRequest): Promise<FoundGpus> {
  const { ffmpeg, vulkan: wanted } = request.config
  const mode = ffmpeg.use_vulkan ? ffmpeg.gpu : 'off'
  if (mode === 'off') return { mode, gpus: [], vulkan: null, problem: null, has_gpu: false }
  const vulkan = await askVulkan({ ...wanted, environment: request.environment, signal: request.signal })
  const gpus = await proveAllowed(request, vulkan)
  const isNews = vulkan.problem !== null && !noGpuCodes.has(vulkan.problem.code)
  return { mode, gpus, vulkan, problem: whyUnused(gpus, vulkan), has_gpu: gpus.length > 0 || isNews }
}

/** Tries the devices that the configuration allows, and by which other ways this machine's engines are reached. */
export async function proveAllowed(request: FindGpusRequest, vulkan: VulkanReport): Promise<Gpu[]> {
  const allowed = allowedGpus(vulkan, readEngineHardware(), request.config.vulkan.preferred_device)
  return proveGpus({ ...request, ...allowed })
}

/**
 * Pure: what `vulkan.preferred_device` allows to be used. `auto` allows all; a device that it names goes with those engines
 * that are on it beyond doubt.
 */
export function allowedGpus(
  { devices: known }: Pick<VulkanReport, 'devices'>,
  hardware: EngineHardware,
  preferred_device: string,
): { devices: VulkanDevice[]; engines: Engine[] } {
  const available = known.filter((device) => device.available)
  const engines = enginesOf(hardware, known)
  if (preferred_device.toLowerCase() === 'auto') return { devices: allowedDevices(available, 'auto'), engines }
  const { index } = chooseDevice(available, preferred_device)
  const devices = available.filter((device) => device.index === index)
  return {
    devices,
    engines: engines.filter((engine) => devices.some((device) => isEngineOf(engine, device, known))),
  }
}

/** Why no GPU can be used, a sentence; null when one has proved something. */
export function whyUnused(gpus: readonly Gpu[], vulkan: VulkanReport): string | null {
  if (gpus.some((gpu) => gpu.capabilities.some(isOfUse))) return null
  if (gpus.length === 0) return vulkan.problem?.message ?? 'no GPU was found'
  const reasons = gpus.flatMap((gpu) => gpu.capabilities.flatMap(({ reason }) => reason ?? []))
  const names = gpus.map(({ name }) => name).join(', ')
  return `${names} did none of what a conversion needs: ${[...new Set(reasons)].slice(0, 5).join('; ')}`
}

/** Scaling alone is no way to convert anything. */
function isOfUse({ proved, operation }: GpuCapability): boolean {
  return proved && operation !== 'filter'
}

/** Where proofs and measurements are kept: they hold for every worker of this host. */
export function proofFolder(cache_path: string): string {
  return join(cache_path, 'proofs')
}
