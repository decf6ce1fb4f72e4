import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Gpu, PathFigure } from '../contract/gpu.ts'
import { calibrate, knownFigures } from '../pipeline/prove/calibrate.ts'
import type { Tools } from '../pipeline/tools.ts'
import type { Log } from '../util/log.ts'
import { startGpuMeter } from '../worker/gpu-meter.ts'
import { GpuPool } from '../worker/gpu-pool.ts'
import { findGpus, type FoundGpus, proofFolder } from './find-gpus.ts'
import { ownCommand } from './version.ts'

/** Milliseconds between two readings of the GPUs' use. */
const readingIntervalMs = 2000

const noticeAfterMs = 2000

/** What a worker's GPUs are opened with. */
export interface OpenGpusRequest {
  config: Config
  tools: Tools
  cache_path: string
  /** The worker's own folder: what trials leave there goes at its next start. */
  work_base: string
  concurrency: number
  /** The children's whole environment. */
  environment: Record<string, string | undefined>
  /** Ends the search; what was opened is ended by `stop`. */
  signal: AbortSignal
  log: Log
}

/** A worker's GPUs in use. */
export interface OpenedGpus {
  pool: GpuPool
  /** Ends what is read and measured; resolves when nothing of it runs any more. */
  stop: () => Promise<void>
}

/**
 * Finds this worker's GPUs, tries them, and starts to read how busy they are. Rejects with the signal's reason when it
 * aborts.
 *
 * @throws DarkstreamError `unavailable` when `ffmpeg.gpu` is require and none can do a thing
 */
export async function openGpus(request: OpenGpusRequest): Promise<OpenedGpus> {
  const { config, log, signal } = request
  // What was proved before is there at once; people who wait for the rest want to know for what.
  const notice = setTimeout(() => log.warn('trying what the GPUs can do; that may take a minute'), noticeAfterMs)
  const finding = findGpus({ ...common(request), config, signal })
  const found = await finding.finally(() => clearTimeout(notice))
  signal.throwIfAborted()
  const { mode, gpus, problem } = found
  if (mode === 'require' && problem !== null) {
    throw new DarkstreamError('unavailable', `ffmpeg.gpu is require, and no GPU can be used: ${problem}`)
  }
  for (const gpu of gpus) log.info(gpuText(gpu))
  // A machine without a GPU is no news; a GPU that cannot be used is.
  if (problem !== null) log[found.has_gpu ? 'warn' : 'info'](`encoding on the CPU: ${problem}`)
  return useGpus(found, request)
}

/** Starts to read how busy the GPUs are that were found, and hands them out. */
export function useGpus(
  { mode, gpus, problem, has_gpu }: FoundGpus,
  request: Omit<OpenGpusRequest, 'signal'>,
): OpenedGpus {
  const { config, concurrency, environment, log } = request
  const ended = new AbortController()
  const setting = { ...common(request), signal: ended.signal }
  const measuring = new Set<Promise<PathFigure[]>>()
  const meter = startGpuMeter({
    command: ownCommand(),
    gpus: gpus.map((gpu) => ({ ...gpu, vendor_id: gpu.vendor_id ?? 0 })),
    interval_ms: readingIntervalMs,
    environment,
    signal: ended.signal,
    log,
  })
  const pool = new GpuPool({
    mode,
    gpus,
    problem,
    has_gpu,
    slots: config.vulkan.slots ?? concurrency,
    recall: (source, settings) => knownFigures({ ...setting, gpus, source, settings }),
    measure(source, settings, free) {
      const measurement = calibrate({ ...setting, gpus: free, source, settings })
      measuring.add(measurement)
      return measurement.finally(() => measuring.delete(measurement))
    },
    usage: (id) => meter.usage(id),
    now: () => performance.now(),
    log,
  })
  return {
    pool,
    async stop() {
      ended.abort(new Error('the worker stops'))
      await Promise.allSettled([meter.stopped, ...measuring])
    },
  }
}

/** What proofs and measurements need alike. */
function common({ tools, concurrency, environment, cache_path, work_base }: Omit<OpenGpusRequest, 'signal'>) {
  return { tools, concurrency, environment, cache_folder: proofFolder(cache_path), temporary_folder: work_base }
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
