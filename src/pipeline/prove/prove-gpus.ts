import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Gpu } from '../../contract/gpu.ts'
import type { VulkanDevice } from '../../contract/vulkan.ts'
import type { Tools } from '../tools.ts'
import { proveEngineGpu } from './engine-gpu.ts'
import { type Engine, enginesOf, readEngineHardware } from './engines.ts'
import { type FfmpegLists, listGpus, readLists } from './ffmpeg-lists.ts'
import { matchDevices } from './match-devices.ts'
import { type CacheKey, deviceKey, machineKey, readCached, writeCached } from './proof-cache.ts'
import { proofClips } from './proof-clips.ts'
import type { TrialSetting } from './trial.ts'
import { proveVulkanGpu, unprovedVulkanGpu, type VulkanProof } from './vulkan-gpu.ts'

/** What is to be proved, and with what. */
export interface ProveGpusRequest {
  tools: Tools
  /** Those that may be used, the best first; one that is a processor only when somebody named it. */
  devices: readonly VulkanDevice[]
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Conversions that shall run side by side. */
  concurrency: number
  /** Where proofs are kept; it is made when it is not there. */
  cache_folder: string
  /** Proves again what was proved before; false unless told. */
  fresh?: boolean
  /** Milliseconds without a frame after which decoding counts as hung; 12,000 unless told. */
  stall_timeout_ms?: number
}

/** After a hang that was killed, NVIDIA's driver needs up to 6 s to open a device again. */
const defaultStallTimeoutMs = 12_000

/**
 * Tries on each Vulkan device, and on each engine of another API whose hardware is there, what a conversion would have
 * them do. What fails is a reason of a capability; rejects only when the signal aborts, with its reason.
 */
export async function proveGpus(request: ProveGpusRequest): Promise<Gpu[]> {
  request.signal.throwIfAborted()
  const machine = await machineKey(request.tools)
  const engines = enginesOf(readEngineHardware(), request.devices)
  const keys = {
    devices: request.devices.map((device) => vulkanKey(device, request, machine)),
    engines: engines.map((engine) => engineKey(engine, machine)),
  }
  const known = {
    devices: await Promise.all(keys.devices.map((key) => recall(request, key))),
    engines: await Promise.all(keys.engines.map((key) => recall(request, key))),
  }
  const isKnown = [...known.devices, ...known.engines].every((gpu) => gpu !== undefined)
  if (isKnown) return [...known.devices, ...known.engines].flatMap((gpu) => gpu ?? [])
  const folder = await temporaryFolder()
  if (folder instanceof Error) return request.devices.map((device) => unprovedVulkanGpu(device, folder.message))
  try {
    const setting = { ...request, folder }
    const lists = await readLists(setting)
    const vulkan = await proveDevices(request, setting, lists, known.devices)
    const others: (Gpu | undefined)[] = []
    for (const [position, engine] of engines.entries()) {
      others.push(known.engines[position] ?? (await proveEngineGpu(setting, engine, lists.encoders)))
    }
    await Promise.all([
      ...vulkan.map((gpu, position) => keep(request, keys.devices[position], gpu)),
      ...others.map((gpu, position) => keep(request, keys.engines[position], gpu)),
    ])
    return [...vulkan, ...others.flatMap((gpu) => gpu ?? [])]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A new one, or why there is none, as a full disk has it. */
async function temporaryFolder(): Promise<string | Error> {
  try {
    return await mkdtemp(join(tmpdir(), 'darkstream-prove-'))
  } catch (error) {
    return new Error(`no temporary folder can be made: ${(error as Error).message}`)
  }
}

/** Devices side by side, since each is a machine of its own; what is tried on one goes one after the other. */
async function proveDevices(
  request: ProveGpusRequest,
  setting: TrialSetting,
  lists: FfmpegLists,
  known: readonly (Gpu | undefined)[],
): Promise<Gpu[]> {
  const { devices, concurrency, stall_timeout_ms = defaultStallTimeoutMs } = request
  if (devices.every((_, position) => known[position])) return known.flatMap((gpu) => gpu ?? [])
  const listing = await listGpus(setting, 0)
  const numbers = matchDevices(devices, listing.gpus)
  const blind = listing.gpus.length === 0 && listing.reason !== null ? `: ${listing.reason}` : ''
  const common = { setting, lists, clips: proofClips(setting), concurrency, stall_timeout_ms }
  const proofs = devices.map(async (device, position) => {
    const number = numbers[position] ?? { reason: `this ffmpeg does not see it${blind}` }
    return known[position] ?? proveOrTell(device, { ...common, number })
  })
  const ended = await Promise.allSettled(proofs)
  setting.signal.throwIfAborted()
  return ended.flatMap((proof) => (proof.status === 'fulfilled' ? proof.value : []))
}

/** A folder that is full or gone is no reason to go without the other devices. */
async function proveOrTell(device: VulkanDevice, proof: VulkanProof): Promise<Gpu> {
  try {
    return await proveVulkanGpu(device, proof)
  } catch (error) {
    proof.setting.signal.throwIfAborted()
    return unprovedVulkanGpu(device, `its test ended early: ${(error as Error).message}`)
  }
}

/** The others count too, since their number may shift this one's. */
function vulkanKey(device: VulkanDevice, { devices, concurrency }: ProveGpusRequest, machine: CacheKey): CacheKey {
  const others = devices.map(({ index, name, device_id }) => [index, name, device_id])
  return { ...machine, device: deviceKey(device), others, concurrency: Math.min(concurrency, 8) }
}

/** Undefined where nothing tells one driver from the next: then it is tried at every start. */
function engineKey(engine: Engine, machine: CacheKey): CacheKey | undefined {
  return engine.driver_version === '' ? undefined : { ...machine, engine }
}

async function recall({ cache_folder, fresh }: ProveGpusRequest, key: CacheKey | undefined): Promise<Gpu | undefined> {
  return key === undefined || fresh === true ? undefined : readCached(cache_folder, 'proof', key, Gpu)
}

/** What ffmpeg did not even see may be there at the next start. */
async function keep(
  { cache_folder }: ProveGpusRequest,
  key: CacheKey | undefined,
  gpu: Gpu | undefined,
): Promise<void> {
  if (key === undefined || gpu === undefined || (gpu.api === 'vulkan' && gpu.selector === '')) return
  await writeCached(cache_folder, 'proof', key, gpu)
}
