import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Gpu } from '../contract/gpu.ts'
import type { VulkanProblem, VulkanReport } from '../contract/vulkan.ts'
import type { GpuMode } from '../pipeline/gpu-access.ts'
import { proveGpus } from '../pipeline/prove/prove-gpus.ts'
import type { Tools } from '../pipeline/tools.ts'
import { allowedDevices } from '../vulkan/choose.ts'
import { askVulkan } from './ask-vulkan.ts'

/** What to look with, and where to keep what a test has shown. */
export interface FindGpusRequest {
  config: Pick<Config, 'ffmpeg' | 'vulkan'>
  tools: Tools
  /** Conversions that shall run side by side. */
  concurrency: number
  /** Proofs and measurements of this machine lie here. */
  cache_folder: string
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
  const { preferred_device } = request.config.vulkan
  const available = vulkan.devices.filter((device) => device.available)
  const devices = allowedDevices(available, preferred_device)
  const proved = await proveGpus({ ...request, devices })
  if (preferred_device.toLowerCase() === 'auto') return proved
  return proved.filter(({ name }) => devices.some((device) => device.name === name))
}

/** Why no GPU can be used, a sentence; null when one has proved something. */
export function whyUnused(gpus: readonly Gpu[], vulkan: VulkanReport): string | null {
  if (gpus.some((gpu) => gpu.capabilities.some(({ proved }) => proved))) return null
  if (gpus.length === 0) return vulkan.problem?.message ?? 'no GPU was found'
  const reasons = gpus.flatMap((gpu) => gpu.capabilities.flatMap(({ reason }) => reason ?? []))
  const names = gpus.map(({ name }) => name).join(', ')
  return `${names} did none of what a conversion needs: ${[...new Set(reasons)].slice(0, 5).join('; ')}`
}

/** Where proofs and measurements are kept: they hold for every worker of this host. */
export function proofFolder(cache_path: string): string {
  return join(cache_path, 'proofs')
}
