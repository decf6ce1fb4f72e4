import { Gpu } from '../../contract/gpu.ts'
import type { VulkanDevice } from '../../contract/vulkan.ts'
import { type Clock, systemClock } from '../../util/clock.ts'
import type { Tools } from '../tools.ts'
import { proveEngineGpu, unprovedEngineGpu } from './engine-gpu.ts'
import type { Engine } from './engines.ts'
import { type FfmpegLists, listGpus, readLists } from './ffmpeg-lists.ts'
import { matchDevices } from './match-devices.ts'
import { type CacheKey, deviceKey, machineKey, readCached, writeCached } from './proof-cache.ts'
import { proofClips } from './proof-clips.ts'
import { inTemporaryFolder } from './temporary-folder.ts'
import type { TrialSetting } from './trial.ts'
import type { GpuProof } from './trial-plan.ts'
import { mostSlots, proveVulkanGpu, unprovedVulkanGpu } from './vulkan-gpu.ts'

/** What is to be proved, and with what. */
export interface ProveGpusRequest {
  tools: Tools
  /** Those that may be used, the best first; one that is a processor only when somebody named it. */
  devices: readonly VulkanDevice[]
  /** Those of other APIs that may be used. */
  engines: readonly Engine[]
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Conversions that shall run side by side. */
  concurrency: number
  /** Where proofs are kept; it is made when it is not there. */
  cache_folder: string
  /** Where trials write; the system's folder for such unless told. */
  temporary_folder?: string
  /** Proves again what was proved before; false unless told. */
  fresh?: boolean
  /** Milliseconds without a frame after which decoding counts as hung; 20,000 unless told. */
  stall_timeout_ms?: number
  clock?: Clock
}

/** After a hang that was killed, NVIDIA's driver needs up to 6 s to open a device again. */
const defaultStallTimeoutMs = 20_000

/** A machine that is busy, or has no encoder session left, fails a trial as well as a bad driver does: once a day is enough. */
const failureLastsMs = 24 * 60 * 60 * 1000

/** Something to prove. */
interface Subject<T> {
  what: T
  /** Undefined for what is tried at every start. */
  key: CacheKey | undefined
  /** What was proved before. */
  known: Gpu | undefined
  /** It without any proof, for a reason. */
  unproved: (reason: string) => Gpu
}

/**
 * Tries on each Vulkan device and each engine what a conversion would have it do. What fails is a reason of a capability;
 * rejects only when the signal aborts, with its reason.
 */
export async function proveGpus(request: ProveGpusRequest): Promise<Gpu[]> {
  request.signal.throwIfAborted()
  const machine = await machineKey(request.tools)
  const devices = await Promise.all(request.devices.map((device) => vulkanSubject(request, device, machine)))
  const engines = await Promise.all(request.engines.map((engine) => engineSubject(request, engine, machine)))
  const all = [...devices, ...engines]
  if (all.every(({ known }) => known !== undefined)) return all.flatMap(({ known }) => known ?? [])
  try {
    const place = { base: request.temporary_folder, prefix: 'darkstream-prove-' }
    return await inTemporaryFolder(place, (folder) => proveUnknown(request, { ...request, folder }, devices, engines))
  } catch (error) {
    request.signal.throwIfAborted()
    return all.map(({ known, unproved }) => known ?? unproved(`nothing could be tried: ${(error as Error).message}`))
  }
}

async function proveUnknown(
  request: ProveGpusRequest,
  setting: TrialSetting,
  devices: readonly Subject<VulkanDevice>[],
  engines: readonly Subject<Engine>[],
): Promise<Gpu[]> {
  const lists = await readLists(setting)
  const gpus: (Gpu | undefined)[] = await proveDevices(request, setting, lists, devices)
  for (const engine of engines) {
    gpus.push(await proveOrTell(request, engine, () => proveEngineGpu(setting, engine.what, lists.encoders)))
    setting.signal.throwIfAborted()
  }
  return gpus.flatMap((gpu) => gpu ?? [])
}

/** Devices side by side, since each is a machine of its own; what is tried on one goes one after the other. */
async function proveDevices(
  request: ProveGpusRequest,
  setting: TrialSetting,
  lists: FfmpegLists,
  subjects: readonly Subject<VulkanDevice>[],
): Promise<(Gpu | undefined)[]> {
  const { devices, concurrency, stall_timeout_ms = defaultStallTimeoutMs } = request
  if (subjects.every(({ known }) => known !== undefined)) return subjects.map(({ known }) => known)
  const listing = await listGpus(setting, 0)
  const numbers = matchDevices(devices, listing.gpus)
  const blind = listing.gpus.length === 0 && listing.reason !== null ? `: ${listing.reason}` : ''
  const common = { setting, lists, clips: proofClips(setting), concurrency, stall_timeout_ms }
  const gpus = await Promise.all(
    subjects.map((subject, position) => {
      const number = numbers[position] ?? { reason: `this ffmpeg does not see it${blind}` }
      return proveOrTell(request, subject, () => proveVulkanGpu(subject.what, { ...common, number }))
    }),
  )
  setting.signal.throwIfAborted()
  return gpus
}

/** Proves and keeps. Never rejects: a folder that is full or gone is no reason to go without the others. */
async function proveOrTell(
  request: ProveGpusRequest,
  { key, known, unproved }: Subject<unknown>,
  prove: () => Promise<GpuProof | undefined>,
): Promise<Gpu | undefined> {
  if (known !== undefined) return known
  try {
    const proof = await prove()
    if (proof !== undefined) await keep(request, key, proof)
    return proof?.gpu
  } catch (error) {
    return unproved(`its test ended early: ${(error as Error).message}`)
  }
}

/** The others count too, since their number may shift this one's. */
async function vulkanSubject(
  request: ProveGpusRequest,
  device: VulkanDevice,
  machine: CacheKey,
): Promise<Subject<VulkanDevice>> {
  const others = request.devices.map(({ index, name, device_id }) => [index, name, device_id])
  const concurrency = Math.min(request.concurrency, mostSlots)
  const key = { ...machine, device: deviceKey(device), others, concurrency }
  const unproved = (reason: string) => unprovedVulkanGpu(device, reason)
  return { what: device, key, known: await recall(request, key), unproved }
}

/**
 * Of an engine's own driver nothing is known but that of its Vulkan device; without one it is tried at every start. One
 * that failed for want of a driver is tried again after a day.
 */
async function engineSubject(request: ProveGpusRequest, engine: Engine, machine: CacheKey): Promise<Subject<Engine>> {
  const key = engine.driver_version === '' ? undefined : { ...machine, engine }
  const unproved = (reason: string) => unprovedEngineGpu(engine, reason)
  return { what: engine, key, known: await recall(request, key), unproved }
}

async function recall(
  { cache_folder, fresh, clock }: ProveGpusRequest,
  key: CacheKey | undefined,
): Promise<Gpu | undefined> {
  return key === undefined || fresh === true ? undefined : readCached(cache_folder, 'proof', key, Gpu, clock)
}

/** What ffmpeg did not even see may be there at the next start. */
async function keep(
  { cache_folder, clock = systemClock }: ProveGpusRequest,
  key: CacheKey | undefined,
  { gpu, has_failed }: GpuProof,
): Promise<void> {
  if (key === undefined || (gpu.api === 'vulkan' && gpu.selector === '')) return
  await writeCached(cache_folder, 'proof', key, gpu, { lasts_ms: has_failed ? failureLastsMs : null, clock })
}
