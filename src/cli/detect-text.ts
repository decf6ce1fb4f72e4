import type { Gpu } from '../contract/gpu.ts'
import type { VideoClaim, VulkanCodec, VulkanDevice, VulkanReport } from '../contract/vulkan.ts'
import { formatBytes, printable } from '../util/format.ts'
import type { Detection } from './detect.ts'
import { capabilityLines, figureTable } from './gpu-text.ts'
import { deepTree, tree } from './table.ts'

/** What `darkstream detect` prints for people. */
export function detectText(found: Detection): string {
  const { vulkan } = found
  return [
    '🖥️  GPU / Vulkan Detection\n\n',
    `Vulkan Status: ${vulkan.supported ? '✓ Available' : `✗ ${printable(whyNot(vulkan))}`}\n`,
    vulkan.supported && vulkan.problem ? `Vulkan Problem: ${printable(vulkan.problem.message)}\n` : '',
    `\nDevices:\n${devices(found)}`,
    messages(vulkan),
    `\nCPU encoders (each by a test encode):\n${tree(encoderLines(found))}`,
    found.figures.length === 0 ? '' : `\nMeasured paths:\n${figureTable(found.figures)}`,
    `\nEnvironment:\n${tree(environmentLines(found))}`,
  ].join('')
}

function whyNot({ problem }: VulkanReport): string {
  return problem?.message ?? 'no device that can be used'
}

const deviceTypes = { discrete: 'Discrete', integrated: 'Integrated', virtual: 'Virtual', cpu: 'CPU', other: 'Other' }

/** Vulkan's devices, and the engines that are reached by other ways. */
function devices({ vulkan, gpus }: Detection): string {
  const entries = [
    ...vulkan.devices.map((device) =>
      deviceEntry(
        device,
        vulkan,
        gpus.find(({ id }) => id === `vulkan:${device.index}`),
      ),
    ),
    ...gpus.filter(({ api }) => api !== 'vulkan').map(engineEntry),
  ]
  return entries.length === 0 ? tree(['none']) : deepTree(entries)
}

interface Entry {
  line: string
  lines: string[]
}

/** What was tried says more than what the driver claims; a device that is not to be used has only claims. */
function deviceEntry(device: VulkanDevice, { device: chosen }: VulkanReport, gpu: Gpu | undefined): Entry {
  const memory = device.memory_heaps.filter((heap) => heap.device_local).reduce((sum, heap) => sum + heap.size_bytes, 0)
  const claimed = [`Encoding: ${claims(device, 'encode')}`, `Decoding: ${claims(device, 'decode')}`]
  const lines = [
    `Type: ${deviceTypes[device.type]}`,
    `Driver: ${device.driver_version}${device.driver_name === '' ? '' : ` (${device.driver_name})`}`,
    `API: ${device.api_version}`,
    `Memory: ${formatBytes(memory)}`,
    ...(gpu ? capabilityLines(gpu) : claimed),
    ...(gpu && gpu.decode_slots > 0 ? [`Decodes side by side: ${gpu.decode_slots}`] : []),
    ...(device.index === chosen?.index ? ['Use: the default device'] : []),
    ...(device.available ? [] : ['Use: no']),
  ]
  return { line: device.name, lines }
}

function engineEntry(gpu: Gpu): Entry {
  return { line: `${gpu.name} by ${gpu.api.toUpperCase()}`, lines: capabilityLines(gpu) }
}

const codecNames: Record<VulkanCodec, string> = { h264: 'H.264', hevc: 'H.265', av1: 'AV1', vp9: 'VP9' }

/** `H.264, H.265 (claimed by the driver; AV1: the driver has no VK_KHR_video_encode_av1)`, or why there is none. */
function claims({ video }: VulkanDevice, operation: VideoClaim['operation']): string {
  const asked = video.filter((claim) => claim.operation === operation)
  const claimed = asked.filter((claim) => claim.claimed)
  const refused = new Map<string, string[]>()
  for (const { codec, reason } of asked.filter((claim) => !claim.claimed)) {
    refused.set(reason ?? '', [...(refused.get(reason ?? '') ?? []), codecNames[codec]])
  }
  const reasons = [...refused].map(([reason, names]) => `${names.join(', ')}: ${reason}`)
  if (claimed.length === 0) return `none: ${refused.size === 1 ? [...refused.keys()].join() : reasons.join('; ')}`
  const names = claimed.map((claim) => codecNames[claim.codec]).join(', ')
  const sizes = claimed
    .map((claim) => `${codecNames[claim.codec]} to ${claim.max_width}x${claim.max_height}`)
    .join(', ')
  return `${names} (claimed by the driver: ${[sizes, ...reasons].join('; ')})`
}

/** What the loader and the validation layer said; nothing when they had nothing to say. */
function messages({ loader_messages, validation, drivers }: VulkanReport): string {
  const tried = drivers.flatMap(({ manifest, problem }) => (problem === null ? [] : [`${manifest}: ${problem}`]))
  const watched = validation && [
    validationLine(validation),
    ...validation.messages.map((text) => text.replaceAll(/\s+/g, ' ').slice(0, 500)),
  ]
  return [
    section('Vulkan drivers at fault', tried),
    section('Vulkan loader errors', loader_messages),
    section('Validation', watched ?? []),
  ].join('')
}

function validationLine({ enabled, reason, messages }: NonNullable<VulkanReport['validation']>): string {
  if (!enabled) return `off: ${reason}`
  return messages.length === 0
    ? 'on, no messages'
    : `on, ${messages.length} ${messages.length === 1 ? 'message' : 'messages'}`
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${tree(lines)}`
}

function encoderLines({ encoders }: Detection): string[] {
  if (encoders.length === 0) return ['none']
  return encoders.map(
    ({ ok, codec, encoder, reason }) =>
      `${ok ? '✓' : '✗'} ${codec} by ${encoder}${reason === null ? '' : `: ${reason}`}`,
  )
}

function environmentLines(found: Detection): string[] {
  const { loader, layers } = found.vulkan
  return [
    `OS: ${found.os}`,
    `Architecture: ${found.architecture}`,
    `CPU: ${found.cpu.model}, ${found.cpu.cores} cores`,
    `Memory: ${formatBytes(found.memory)}`,
    found.ffmpeg ? `FFmpeg: ${found.ffmpeg.version} (${found.ffmpeg.path})` : `FFmpeg: none: ${found.problem}`,
    `Vulkan SDK: ${loader ? `${loader.version} (loader ${loader.library})` : 'none'}`,
    `Vulkan layers: ${layers.length === 0 ? 'none' : layers.map(({ name }) => name).join(', ')}`,
    ...found.vulkan.drivers.map(({ manifest }) => `Vulkan driver: ${manifest}`),
    ...Object.entries(found.vulkan_environment).map(([name, value]) => `${name}: ${value}`),
  ]
}
