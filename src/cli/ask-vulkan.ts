import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { platform, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VulkanReport } from '../contract/vulkan.ts'
import { runProcess } from '../pipeline/process.ts'
import { blame, isDeadly, manifestFault, suspects, type Verdict, withFaults } from '../vulkan/blame.ts'
import { loaderDebug } from '../vulkan/loader-log.ts'
import { type Outcome, readOutcome } from '../vulkan/outcome.ts'
import { vulkanReport } from '../vulkan/report.ts'
import { ownCommand } from './version.ts'

/** What to ask, and how long. */
export interface AskVulkanRequest {
  /** `vulkan.preferred_device` */
  preferred_device: string
  /** `vulkan.enable_validation` */
  enable_validation: boolean
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Milliseconds for each child; 15 s unless told. An NVIDIA driver blocks for 5 s after another's crash. */
  timeout_ms?: number
  /** What starts this program; a test's own main is not it. */
  command?: readonly string[]
}

/**
 * Asks the Vulkan drivers in a child of our own executable: one that crashes or hangs costs a sentence. Then each driver
 * is asked alone, to name the one. Rejects only when the signal aborts, or when our executable cannot be started.
 */
export async function askVulkan(request: AskVulkanRequest): Promise<VulkanReport> {
  const asked = await ask(request)
  const faults = suspects(request.environment, asked, platform()).flatMap((manifest) => {
    const problem = manifestFault(readIfThere(manifest), existsSync)
    return problem === null ? [] : [{ manifest, problem }]
  })
  const outcome = withFaults(asked, faults)
  const sound = outcome.drivers.filter(({ problem }) => problem === null)
  const isUnclear = isDeadly(outcome.problem) && sound.length > 1
  const trials = await Promise.all((isUnclear ? sound : []).map(({ manifest }) => tryAlone(request, manifest)))
  return vulkanReport(blame(outcome, trials), request.preferred_device)
}

async function tryAlone(request: AskVulkanRequest, manifest: string): Promise<Verdict> {
  // The second is the older name of the first.
  const only = { VK_DRIVER_FILES: manifest, VK_ICD_FILENAMES: manifest, VK_ADD_DRIVER_FILES: undefined }
  const { problem } = await ask({ ...request, environment: { ...request.environment, ...only } })
  return { manifest, problem: isDeadly(problem) ? (problem?.message ?? null) : null }
}

async function ask(request: AskVulkanRequest): Promise<Outcome> {
  const { enable_validation, signal, timeout_ms = 15_000, command = ownCommand() } = request
  const settings = enable_validation ? await validationSettings() : null
  try {
    const error_lines: string[] = []
    const result = await runProcess({
      argv: [...command, 'probe-vulkan', ...(enable_validation ? ['--validate'] : [])],
      environment: {
        ...request.environment,
        VK_LOADER_DEBUG: loaderDebug,
        // A driver's crash is no fault of Bun's to be told to its makers.
        BUN_ENABLE_CRASH_REPORTING: '0',
        ...(settings && { VK_LAYER_SETTINGS_PATH: join(settings, settingsName) }),
      },
      timeout_ms,
      signal,
      on_error_line: (line) => {
        if (error_lines.length < 2000) error_lines.push(line)
      },
    })
    signal.throwIfAborted()
    return readOutcome({ ...result, error_lines, timeout_ms })
  } finally {
    if (settings !== null) await rm(settings, { recursive: true, force: true })
  }
}

const settingsName = 'vk_layer_settings.txt'

/**
 * A folder with the settings by which the validation layer writes its messages to standard output. It could call us back
 * instead (VK_EXT_debug_utils), into JavaScript from any thread of a driver; this way nothing of ours can go wrong in it.
 */
async function validationSettings(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'darkstream-vulkan-'))
  const lines = [
    'debug_action = VK_DBG_LAYER_ACTION_LOG_MSG',
    'log_filename = stdout',
    'report_flags = error,warn,perf',
  ]
  await writeFile(join(folder, settingsName), lines.map((line) => `khronos_validation.${line}\n`).join(''))
  return folder
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
