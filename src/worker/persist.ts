import { DarkstreamError, type ErrorCode } from '../contract/error.ts'
import { jittered, sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'

/** Milliseconds between tries at most. */
const maxPauseMs = 10_000

/** Milliseconds that a last word to the master may take when the worker is told to stop now. */
export const farewellMs = 3000

const passing = new Set<ErrorCode>(['unreachable', 'unavailable', 'internal', 'too_many_requests', 'request_timeout'])

/** Whether the master may answer when asked again: it is away, restarting or in trouble of its own. */
export function isPassing(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && passing.has(error.code)
}

/** Whether the master tells that a newer process has this worker's place. */
export function isReplaced(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && error.code === 'worker_replaced'
}

export interface PersistOptions {
  first_pause_ms: number
  log: Log
  /** What is being tried, for the log: `hand in the result`. */
  what: string
  /** Ends the trying; its reason is thrown. */
  signal: AbortSignal
  /** From when it aborts, the master has `drain_patience_ms` left to hear it. */
  draining?: AbortSignal
  drain_patience_ms?: number
  /** Whether another try may bring what this failure did not; `isPassing` unless told. */
  mayPass?: (error: unknown) => boolean
}

/**
 * Says something to the master until it has heard it, however long it is away. What the master refuses is thrown, so is
 * the signal's reason, and so is the last failure once a draining worker's patience is over.
 */
export async function persist<T>(say: () => Promise<T>, options: PersistOptions): Promise<T> {
  const { log, what, signal, draining, drain_patience_ms = 0, mayPass = isPassing } = options
  let givesUpAt = Number.POSITIVE_INFINITY
  let told: string | undefined
  for (let tries = 0; ; tries++) {
    signal.throwIfAborted()
    try {
      const answer = await say()
      if (tries > 0) log.info(`the master answers again: could ${what}`)
      return answer
    } catch (error) {
      if (!mayPass(error)) throw error
      const { message } = error as Error
      // Once for each reason: how far it came is none.
      const why = message.replaceAll(/\d+/g, '')
      if (why !== told) log.warn(`cannot ${what}, will go on trying: ${message}`)
      told = why
      if (draining?.aborted) givesUpAt = Math.min(givesUpAt, performance.now() + drain_patience_ms)
      if (performance.now() >= givesUpAt) throw error
    }
    const pause = jittered(Math.min(options.first_pause_ms * 2 ** Math.min(tries, 10), maxPauseMs))
    // The patience of a worker that is to end begins at once, not after the pause.
    const wake = draining === undefined || draining.aborted ? signal : AbortSignal.any([signal, draining])
    await sleep(Math.min(pause, Math.max(0, givesUpAt - performance.now())), wake)
  }
}
