import { arch, availableParallelism, cpus, type as osType, release, totalmem } from 'node:os'
import { ConversionError } from '../contract/failure.ts'
import { type EncoderProof, proveEncoders } from '../pipeline/encoders.ts'
import { findTools } from '../pipeline/tools.ts'
import { formatBytes } from '../util/format.ts'
import { answer } from './ask.ts'
import { settingsOf } from './settings.ts'
import { tree } from './table.ts'
import type { CommandArgs } from './usage.ts'

/** What this machine is and has proved to be able to do. */
interface Detection {
  os: string
  architecture: string
  cpu: { model: string; cores: number }
  /** Bytes. */
  memory: number
  /** Null when there is none that can be used; `problem` then says why. */
  ffmpeg: { path: string; version: string } | null
  problem: string | null
  encoders: EncoderProof[]
  /** This version does not look for GPUs. */
  vulkan: null
}

export async function run(args: CommandArgs): Promise<number> {
  const { config } = settingsOf(args)
  const found = await detect(config.ffmpeg.path)
  answer(args, found, () => detectText(found))
  return found.encoders.some((proof) => proof.ok) ? 0 : 1
}

async function detect(ffmpeg_path: string): Promise<Detection> {
  const machine = {
    os: `${osType()} ${release()}`,
    architecture: arch() === 'x64' ? 'x86_64' : arch(),
    cpu: { model: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    memory: totalmem(),
    vulkan: null,
  }
  const signal = AbortSignal.timeout(120_000)
  try {
    const tools = await findTools({ ffmpeg_path, environment: process.env, signal })
    const encoders = await proveEncoders(tools, process.env, signal)
    return { ...machine, ffmpeg: { path: tools.ffmpeg_path, version: tools.version }, problem: null, encoders }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    return { ...machine, ffmpeg: null, problem: error.message, encoders: [] }
  }
}

function detectText(found: Detection): string {
  const encoders = found.encoders.map(
    (proof) =>
      `${proof.ok ? '✓' : '✗'} ${proof.codec} by ${proof.encoder}${proof.reason === null ? '' : `: ${proof.reason}`}`,
  )
  const environment = [
    `OS: ${found.os}`,
    `Architecture: ${found.architecture}`,
    `CPU: ${found.cpu.model}, ${found.cpu.cores} cores`,
    `Memory: ${formatBytes(found.memory)}`,
    found.ffmpeg ? `FFmpeg: ${found.ffmpeg.version} (${found.ffmpeg.path})` : `FFmpeg: none: ${found.problem}`,
  ]
  return [
    '🖥️  GPU / Vulkan Detection\n\n',
    'Vulkan Status: not looked for (this version encodes on the CPU only)\n\n',
    `Encoders (each by a test encode):\n${tree(encoders.length > 0 ? encoders : ['none'])}\n`,
    `Environment:\n${tree(environment)}`,
  ].join('')
}
