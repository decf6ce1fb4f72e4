import { DarkstreamError } from '../contract/error.ts'
import { jittered, sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'

/** Milliseconds between tries at most. */
const maxPauseMs = 30_000

/** Milliseconds that a last word to the master may take when the worker is told to stop now. */
export const farewellMs = 3000

/** Whether the master may answer when asked again: it is away, restarting or in trouble of its own. */
export function isPassing(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && ['unreachable', 'unavailable', 'internal'].includes(error.code)
}

/**
 * Says something to the master until it has heard it, however long it is away. What the master refuses is thrown, and so
 * is the signal's reason.
 */
export async function persist<T>(
  say: () => Promise<T>,
  options: { first_pause_ms: number; log: Log; what: string; signal?: AbortSignal },
): Promise<T> {
  for (let tries = 0; ; tries++) {
    options.signal?.throwIfAborted()
    try {
      return await say()
    } catch (error) {
      if (!isPassing(error)) throw error
      if (tries === 0) options.log.warn(`cannot ${options.what}, will go on trying: ${error.message}`)
    }
    await sleep(jittered(Math.min(options.first_pause_ms * 2 ** Math.min(tries, 10), maxPauseMs)), options.signal)
  }
}
