import { DarkstreamError } from '../contract/error.ts'
import { type ProcessResult, runProcess } from '../pipeline/process.ts'

const usualTimeoutMs = 60_000

/**
 * Runs a program of the system; what it wrote, without the blanks at its ends.
 *
 * @throws DarkstreamError `unavailable` with its own words when it fails
 */
export async function systemCommand(argv: readonly string[], timeout_ms = usualTimeoutMs): Promise<string> {
  const result = await runIt(argv, timeout_ms)
  if (result.exit_code === 0) return result.stdout.trim()
  const why = result.killed_for === 'timeout' ? 'it took too long' : result.stderr_tail.trim()
  throw new DarkstreamError('unavailable', `${argv.join(' ')} failed: ${why || `exit code ${result.exit_code}`}`)
}

/** The same, but undefined when the program fails. */
export async function trySystemCommand(argv: readonly string[]): Promise<string | undefined> {
  const result = await runIt(argv, usualTimeoutMs)
  return result.exit_code === 0 ? result.stdout.trim() : undefined
}

function runIt(argv: readonly string[], timeout_ms: number): Promise<ProcessResult> {
  return runProcess({ argv, environment: process.env, timeout_ms, signal: new AbortController().signal })
}
