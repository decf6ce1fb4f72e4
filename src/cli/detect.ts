import { arch, availableParallelism, cpus, devNull, type as osType, release, totalmem } from 'node:os'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Gpu, PathFigure } from '../contract/gpu.ts'
import type { VulkanReport } from '../contract/vulkan.ts'
import { calibrate, knownFigures } from '../pipeline/prove/calibrate.ts'
import { type EncoderProof, proveEncoders } from '../pipeline/prove/encoders.ts'
import type { SourceKind } from '../pipeline/prove/source-kind.ts'
import { findTools } from '../pipeline/tools.ts'
import { answer } from './ask.ts'
import { askVulkan } from './ask-vulkan.ts'
import { childEnvironment } from './child-environment.ts'
import { concurrencyOf, openCache } from './build-worker.ts'
import { detectText } from './detect-text.ts'
import { type FindGpusRequest, proofFolder, proveAllowed, whyUnused } from './find-gpus.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'

/** What this machine is, what it has proved to be able to do, and what its GPU drivers claim. */
export interface Detection {
  os: string
  architecture: string
  cpu: { model: string; cores: number }
  /** Bytes. */
  memory: number
  /** Null when there is none that can be used; `problem` then says why. */
  ffmpeg: { path: string; version: string } | null
  problem: string | null
  encoders: EncoderProof[]
  /** Those that the configuration allows, each with what it has proved. */
  gpus: Gpu[]
  /** Why none can be used; null when one can. */
  gpu_problem: string | null
  /** How fast each path is at typical sources, with the configured target; empty where there is no choice. */
  figures: PathFigure[]
  vulkan: VulkanReport
  /** The variables that change which drivers and layers Vulkan finds, as far as they are set. */
  vulkan_environment: Record<string, string>
}

/** What is measured when nothing else is asked: what most libraries hold, and what is hardest. */
const typicalSources: readonly SourceKind[] = [
  { codec: 'h264', bit_depth: 8, size_class: 'hd' },
  { codec: 'hevc', bit_depth: 8, size_class: 'uhd' },
]

export async function run(args: CommandArgs): Promise<number> {
  const stopping = new AbortController()
  // So that what is tried leaves no folder behind.
  onStopSignals(
    () => stopping.abort(),
    () => process.exit(1),
  )
  try {
    return await detect(args, stopping.signal)
  } catch (error) {
    if (stopping.signal.aborted) return 1
    throw error
  }
}

async function detect(args: CommandArgs, signal: AbortSignal): Promise<number> {
  const { config } = settingsOf(args)
  const vulkan = await askVulkan({ ...config.vulkan, environment: childEnvironment(), signal })
  const encoding = await detectEncoders(config, vulkan, { signal, isQuick: args.flag('quick') })
  const found = { ...machine(), ...encoding, vulkan, vulkan_environment: vulkanEnvironment() }
  answer(args, found, () => detectText(found))
  return found.encoders.some((proof) => proof.ok) ? 0 : 1
}

function machine() {
  return {
    os: `${osType()} ${release()}`,
    architecture: arch() === 'x64' ? 'x86_64' : arch(),
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    memory: totalmem(),
  }
}

type Encoding = Pick<Detection, 'ffmpeg' | 'problem' | 'encoders' | 'gpus' | 'gpu_problem' | 'figures'>

async function detectEncoders(
  config: Config,
  vulkan: VulkanReport,
  { signal, isQuick }: { signal: AbortSignal; isQuick: boolean },
): Promise<Encoding> {
  try {
    const tools = await findTools({ ffmpeg_path: config.ffmpeg.path, environment: childEnvironment(), signal })
    const encoders = await proveEncoders(tools, childEnvironment(), signal)
    const request = {
      config,
      tools,
      signal,
      environment: childEnvironment(),
      concurrency: concurrencyOf(config),
      cache_folder: proofFolder(cacheIfThere(config.storage.cache_path)),
    }
    say('trying what the GPUs can do')
    const gpus = await proveAllowed({ ...request, fresh: !isQuick }, vulkan)
    const figures = await typicalFigures(request, gpus, isQuick)
    const ffmpeg = { path: tools.ffmpeg_path, version: tools.version }
    return { ffmpeg, problem: null, encoders, gpus, gpu_problem: whyUnused(gpus, vulkan), figures }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    const gpu_problem = vulkan.problem?.message ?? error.message
    return { ffmpeg: null, problem: error.message, encoders: [], gpus: [], gpu_problem, figures: [] }
  }
}

/** The figures of the typical sources: measured now, or with `--quick` what was measured before. */
async function typicalFigures(request: FindGpusRequest & { config: Config }, gpus: readonly Gpu[], isQuick: boolean) {
  const figures: PathFigure[] = []
  if (!gpus.some((gpu) => gpu.capabilities.some(({ proved }) => proved))) return figures
  for (const source of typicalSources) {
    const wanted = { ...request, gpus, source, settings: request.config.conversion }
    if (!isQuick) say(`measuring which path is best for ${source.codec}, ${source.size_class}`)
    const found = isQuick ? await knownFigures(wanted) : await calibrate({ ...wanted, fresh: true })
    // The CPU's path alone is no choice.
    if (found && found.length > 1) figures.push(...found)
  }
  return figures
}

/** Where workers keep what they proved; a folder that cannot be made keeps nothing, and nothing else is amiss. */
function cacheIfThere(configured: string | null): string {
  try {
    return openCache(configured)
  } catch (error) {
    if (!(error instanceof DarkstreamError)) throw error
    say(`nothing will be remembered: ${error.message}`)
    return configured ?? devNull
  }
}

/** Progress for people, out of the way of the answer. */
function say(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`${line} ...\n`)
}

function vulkanEnvironment(): Record<string, string> {
  const names = ['VULKAN_SDK', 'VK_DRIVER_FILES', 'VK_ICD_FILENAMES', 'VK_ADD_DRIVER_FILES', 'VK_LOADER_DRIVERS_SELECT']
  const more = ['VK_LOADER_DRIVERS_DISABLE', 'VK_INSTANCE_LAYERS', 'VK_LAYER_PATH']
  return Object.fromEntries(
    [...names, ...more].flatMap((name) => {
      const value = process.env[name]
      return value ? [[name, value] as const] : []
    }),
  )
}
