import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Gpu } from '../contract/gpu.ts'
import type { VulkanReport } from '../contract/vulkan.ts'
import { calibrate, knownFigures } from '../pipeline/prove/calibrate.ts'
import type { Tools } from '../pipeline/tools.ts'
import type { Log } from '../util/log.ts'
import { startGpuMeter } from '../worker/gpu-meter.ts'
import { GpuPool } from '../worker/gpu-pool.ts'
import { findGpus, proofFolder } from './find-gpus.ts'
import { ownCommand } from './version.ts'

/** Milliseconds between two readings of the GPUs' use. */
const readingIntervalMs = 2000

const noticeAfterMs = 2000

/** What a worker's GPUs are opened with. */
export interface OpenGpusRequest {
  config: Config
  tools: Tools
  cache_path: string
  concurrency: number
  log: Log
}

/**
 * Finds this worker's GPUs, tries them, and starts to read how busy they are.
 *
 * @throws DarkstreamError `unavailable` when `ffmpeg.gpu` is require and none can do a thing
 */
export async function openGpus(request: OpenGpusRequest): Promise<{ pool: GpuPool; stop: () => Promise<void> }> {
  const { config, tools, concurrency, log } = request
  const ended = new AbortController()
  const { signal } = ended
  const cache_folder = proofFolder(request.cache_path)
  const common = { tools, concurrency, cache_folder, environment: process.env, signal }
  // What was proved before is there at once; people who wait for the rest want to know for what.
  const notice = setTimeout(
    () => log.warn('trying what the GPUs can do; that takes up to a minute, once'),
    noticeAfterMs,
  )
  const { mode, gpus, vulkan, problem, has_gpu } = await findGpus({ ...common, config }).finally(() =>
    clearTimeout(notice),
  )
  if (mode === 'require' && problem !== null) {
    throw new DarkstreamError('unavailable', `ffmpeg.gpu is require, and no GPU can be used: ${problem}`)
  }
  for (const gpu of gpus) log.info(gpuText(gpu))
  if (problem !== null) log.info(`encoding on the CPU: ${problem}`)
  const meter = startGpuMeter({
    command: ownCommand(),
    gpus: gpus.map((gpu) => ({ ...gpu, vendor_id: vendorOf(gpu, vulkan) })),
    interval_ms: readingIntervalMs,
    environment: process.env,
    signal,
    log,
  })
  const pool = new GpuPool({
    mode,
    gpus,
    problem,
    has_gpu,
    slots: config.vulkan.slots ?? concurrency,
    recall: (source, settings) => knownFigures({ ...common, gpus, source, settings }),
    measure: (source, settings) => calibrate({ ...common, gpus, source, settings }),
    usage: (id) => meter.usage(id),
    now: () => performance.now(),
    log,
  })
  return {
    pool,
    async stop() {
      ended.abort()
      await meter.stopped
    },
  }
}

/** 0 for what Vulkan does not know. */
function vendorOf(gpu: Gpu, vulkan: VulkanReport | null): number {
  return vulkan?.devices.find(({ pci_address }) => pci_address === gpu.pci_address)?.vendor_id ?? 0
}

/** `GPU NVIDIA H200 (vulkan): decodes h264, hevc; scales`: what it proved. */
function gpuText({ name, api, capabilities }: Gpu): string {
  const done = (operation: string) => [
    ...new Set(capabilities.flatMap((can) => (can.proved && can.operation === operation ? [can.codec ?? ''] : []))),
  ]
  const [encodes, decodes, filters] = [done('encode'), done('decode'), done('filter')]
  const parts = [
    encodes.length === 0 ? [] : [`encodes ${encodes.join(', ')}`],
    decodes.length === 0 ? [] : [`decodes ${decodes.join(', ')}`],
    filters.length === 0 ? [] : ['scales'],
  ].flat()
  return `GPU ${name} (${api}): ${parts.length === 0 ? 'proved nothing' : parts.join('; ')}`
}
