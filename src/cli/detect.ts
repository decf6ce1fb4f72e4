import { arch, availableParallelism, cpus, type as osType, release, totalmem } from 'node:os'
import { ConversionError } from '../contract/failure.ts'
import type { VulkanReport } from '../contract/vulkan.ts'
import { type EncoderProof, proveEncoders } from '../pipeline/encoders.ts'
import { findTools } from '../pipeline/tools.ts'
import { answer } from './ask.ts'
import { askVulkan } from './ask-vulkan.ts'
import { detectText } from './detect-text.ts'
import { settingsOf } from './settings.ts'
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
  vulkan: VulkanReport
  /** The variables that change which drivers and layers Vulkan finds, as far as they are set. */
  vulkan_environment: Record<string, string>
}

export async function run(args: CommandArgs): Promise<number> {
  const { config } = settingsOf(args)
  const signal = AbortSignal.timeout(120_000)
  const [vulkan, encoding] = await Promise.all([
    askVulkan({ ...config.vulkan, environment: process.env, signal }),
    detectEncoders(config.ffmpeg.path, signal),
  ])
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

async function detectEncoders(
  ffmpeg_path: string,
  signal: AbortSignal,
): Promise<Pick<Detection, 'ffmpeg' | 'problem' | 'encoders'>> {
  try {
    const tools = await findTools({ ffmpeg_path, environment: process.env, signal })
    const encoders = await proveEncoders(tools, process.env, signal)
    return { ffmpeg: { path: tools.ffmpeg_path, version: tools.version }, problem: null, encoders }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    return { ffmpeg: null, problem: error.message, encoders: [] }
  }
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
