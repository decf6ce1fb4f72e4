import type { DeviceFacts, VulkanLayer, VulkanLoader, VulkanProblem } from '../contract/vulkan.ts'
import type { Verdict } from './blame.ts'
import { readEvents } from './events.ts'
import { readLoaderLog } from './loader-log.ts'

/** How a child that ran the probe ended, and all that it wrote. */
export interface ProbeChild {
  exit_code: number | null
  signal: string | null
  /** `timeout` when we ended it at its limit. */
  killed_for: string | null
  stdout: string
  error_lines: readonly string[]
  /** Milliseconds that it had. */
  timeout_ms: number
}

/** What a probe found, as far as it came. */
export interface Outcome {
  /** Null when the library could not be opened. */
  loader: VulkanLoader | null
  layers: VulkanLayer[]
  devices: DeviceFacts[]
  problem: VulkanProblem | null
  validation: { enabled: boolean; reason: string | null; messages: string[] } | null
  /** The driver manifests that the loader read. */
  drivers: Verdict[]
  loader_messages: string[]
}

/** Reads what a probe left behind, whichever way it ended. */
export function readOutcome(child: ProbeChild): Outcome {
  const { events, other_lines } = readEvents(child.stdout)
  const log = readLoaderLog(child.error_lines)
  const loader = events.find((event) => event.kind === 'loader')
  const validation = events.find((event) => event.kind === 'validation')
  const told = events.find((event) => event.kind === 'problem')?.problem
  const devices = events.flatMap((event) => (event.kind === 'device' ? [event.device] : []))
  const step = events.findLast((event) => event.kind === 'step')?.step ?? 'it was started'
  const isWhole = events.some((event) => event.kind === 'end')
  return {
    loader: loader?.loader ?? null,
    layers: loader?.layers ?? [],
    devices,
    problem: isWhole ? (explained(told, log.errors) ?? noDevice(devices)) : ending(child, step),
    validation: validation
      ? { enabled: validation.enabled, reason: validation.reason, messages: messagesOf(other_lines) }
      : null,
    drivers: log.manifests.map((manifest) => ({ manifest, problem: null })),
    loader_messages: log.errors,
  }
}

/** What the loader found wrong says more than the code that it returned. */
function explained(problem: VulkanProblem | undefined, errors: readonly string[]): VulkanProblem | null {
  if (!problem) return null
  const own = errors.filter((error) => !error.endsWith('Found no drivers!')).slice(0, 3)
  if (own.length === 0) return problem
  const what = problem.code === 'no_driver' ? 'the Vulkan loader could load no driver' : problem.message
  return { ...problem, message: `${what}; the loader says: ${own.join('; ')}` }
}

function noDevice(devices: readonly DeviceFacts[]): VulkanProblem | null {
  if (devices.length > 0) return null
  return {
    code: 'no_device',
    message: 'Vulkan drivers are installed, and none of them found a device that it can drive',
  }
}

/** The problem of a probe that did not come to its end. */
function ending({ exit_code, signal, killed_for, error_lines, timeout_ms }: ProbeChild, step: string): VulkanProblem {
  if (killed_for === 'timeout') {
    return { code: 'hung', message: `a Vulkan driver hung while ${step}; it was ended after ${timeout_ms / 1000} s` }
  }
  if (signal !== null) return { code: 'crashed', message: `a Vulkan driver crashed (${signal}) while ${step}` }
  // Windows has no signals: an access violation is exit code 0xC0000005.
  if (exit_code !== null && exit_code > 255) {
    return { code: 'crashed', message: `a Vulkan driver crashed (0x${exit_code.toString(16)}) while ${step}` }
  }
  const last = error_lines.findLast((line) => line.trim() !== '')
  const words = last === undefined ? '' : `: ${last.trim()}`
  return { code: 'failed', message: `the Vulkan probe ended with exit code ${exit_code} while ${step}${words}` }
}

/** The layer's messages: each begins a line, what belongs to it is indented or follows without a headline. */
function messagesOf(lines: readonly string[]): string[] {
  const messages: string[] = []
  for (const line of lines) {
    const isStart = /^(VUID|UNASSIGNED|\w+-\w+|Validation (Error|Warning|Performance|Information))\b/.test(line)
    if (isStart || messages.length === 0) messages.push(line)
    else messages.push(`${messages.pop()}\n${line}`)
  }
  return messages.slice(0, 100)
}
