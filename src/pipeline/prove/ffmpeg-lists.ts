import type { VulkanDeviceType } from '../../contract/vulkan.ts'
import { parseEncoders, parseFilters } from '../ffmpeg/parse-names.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** What an ffmpeg was built with. */
export interface FfmpegLists {
  /** FFmpeg's names of encoders and filters. */
  encoders: ReadonlySet<string>
  filters: ReadonlySet<string>
}

/** Asks ffmpeg for its lists; empty ones when it gives none. */
export async function readLists(setting: TrialSetting): Promise<FfmpegLists> {
  const [encoders, filters] = [await readList(setting, '-encoders'), await readList(setting, '-filters')]
  return { encoders: parseEncoders(encoders), filters: parseFilters(filters) }
}

async function readList(setting: TrialSetting, option: string): Promise<string> {
  const { result } = await trial(setting, { what: option, args: [option], timeout_ms: trialTimeoutMs })
  return result?.stdout ?? ''
}

/** A Vulkan device as ffmpeg lists it. */
export interface ListedGpu {
  /** What `-init_hw_device vulkan=gpu:N` chooses it by. */
  number: number
  name: string
  type: VulkanDeviceType
  device_id: number
}

/** What ffmpeg says when it opens a Vulkan device. */
export interface GpuListing {
  gpus: ListedGpu[]
  /** The number of the one that it opened; null when it opened none. */
  selected: number | null
  /** Why it opened none, in plain words; null when it did. */
  reason: string | null
}

/** Has ffmpeg open the Vulkan device of that number, and reads what it tells of all of them. */
export async function listGpus(setting: TrialSetting, number: number): Promise<GpuListing> {
  const lines: string[] = []
  const { reason } = await trial(setting, {
    what: 'opening a device',
    args: [
      ['-init_hw_device', `vulkan=gpu:${number}`],
      ['-f', 'lavfi', '-i', 'nullsrc=size=64x64', '-frames:v', '1', '-f', 'null', '-'],
    ].flat(),
    timeout_ms: trialTimeoutMs,
    level: 'verbose',
    on_error_line: (line) => lines.push(line),
  })
  return { ...parseGpuListing(lines.join('\n')), reason }
}

/** `VkPhysicalDeviceType` as libavutil's hwcontext_vulkan.c words it. */
const types: Record<string, VulkanDeviceType> = {
  discrete: 'discrete',
  integrated: 'integrated',
  virtual: 'virtual',
  software: 'cpu',
  unknown: 'other',
}

/** `    0: llvmpipe (LLVM 21.1.8, 256 bits) (software) (0x0)` */
const device = /\s(\d+): (.+) \((discrete|integrated|virtual|software|unknown)\) \(0x([0-9a-f]+)\)\s*$/
const selection = /\bDevice (\d+) selected: /

/** Reads the lines that follow `GPU listing:`, with or without `[verbose]` in front, and `Device N selected:`. */
export function parseGpuListing(text: string): Omit<GpuListing, 'reason'> {
  const lines = text.split(/\r?\n/)
  const start = lines.findIndex((line) => line.includes('GPU listing:'))
  const gpus = (start < 0 ? [] : lines.slice(start + 1)).flatMap((line) => {
    const [, number, name, type, id] = device.exec(line) ?? []
    if (selection.test(line) || name === undefined) return []
    return [
      { number: Number(number), name, type: types[type ?? ''] ?? 'other', device_id: Number.parseInt(id ?? '', 16) },
    ]
  })
  const selected = selection.exec(text)?.[1]
  return { gpus, selected: selected === undefined ? null : Number(selected) }
}
