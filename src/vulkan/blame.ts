import type { VulkanProblem } from '../contract/vulkan.ts'
import type { Outcome } from './outcome.ts'

/** What is known of one driver manifest; null when nothing speaks against it. */
export interface Verdict {
  manifest: string
  problem: string | null
}

/** Whether a driver ended the probe, or kept it from ending; it would do the same to ffmpeg. */
export function isDeadly(problem: VulkanProblem | null): boolean {
  return problem?.code === 'crashed' || problem?.code === 'hung'
}

/** The driver manifests that may be at fault: those that a setting names, and those of which the loader complains. */
export function suspects(
  environment: Record<string, string | undefined>,
  outcome: Outcome,
  platform: string,
): string[] {
  const separator = platform === 'win32' ? ';' : ':'
  const named = environment['VK_DRIVER_FILES'] || environment['VK_ICD_FILENAMES'] || ''
  const complained = outcome.loader_messages.flatMap((message) => [...message.matchAll(/\S+\.json\b/g)].map(String))
  return [...new Set([...named.split(separator), ...complained])].filter((path) => path.endsWith('.json'))
}

/**
 * What is wrong with a driver manifest, by its text: a JSON object with `ICD.library_path`, a path or a bare name. Null:
 * nothing that can be seen from here.
 */
export function manifestFault(text: string | null, exists: (path: string) => boolean): string | null {
  if (text === null) return 'it cannot be read'
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    return 'it is not JSON'
  }
  const library = (parsed as { ICD?: { library_path?: unknown } } | null)?.ICD?.library_path
  if (typeof library !== 'string') return 'it names no library (ICD.library_path)'
  return library.startsWith('/') && !exists(library) ? `its library ${library} is not there` : null
}

/** Adds what was found wrong with driver manifests. That is a better reason than what the loader made of it. */
export function withFaults(outcome: Outcome, faults: readonly Verdict[]): Outcome {
  const others = outcome.drivers.filter(({ manifest }) => !faults.some((fault) => fault.manifest === manifest))
  const drivers = [...others, ...faults]
  const { problem } = outcome
  if (faults.length === 0 || (problem?.code !== 'no_driver' && problem?.code !== 'failed'))
    return { ...outcome, drivers }
  const named = faults.map(({ manifest, problem }) => `the driver file ${manifest} is of no use: ${problem}`).join('; ')
  // Loaders up to 1.3.2xx give up for one file that is not JSON.
  const message = `the Vulkan loader could load no driver: ${named}; repair or remove it`
  return { ...outcome, drivers, problem: { code: 'no_driver', message } }
}

/** Names who is to blame for a crash or a hang, by what came of each driver alone; with one driver only it is that one. */
export function blame(outcome: Outcome, trials: readonly Verdict[]): Outcome {
  const { problem, drivers } = outcome
  if (!problem || !isDeadly(problem)) return outcome
  const deadly = trials.filter((trial) => trial.problem !== null).map(({ manifest }) => manifest)
  const guilty = drivers.length === 1 ? drivers.map(({ manifest }) => manifest) : deadly
  if (guilty.length === 0) return outcome
  const others = drivers.map(({ manifest }) => manifest).filter((manifest) => !guilty.includes(manifest))
  const way = others.length === 0 ? '' : `, or set VK_DRIVER_FILES=${others.join(':')}`
  const message = `${problem.message}; the driver is ${guilty.join(', ')}: repair or remove it${way}`
  return {
    ...outcome,
    problem: { ...problem, message },
    drivers: drivers.map((driver) => trials.find(({ manifest }) => manifest === driver.manifest) ?? driver),
  }
}
