/** Milliseconds since 1970, UTC. Passed in wherever time decides something, so that tests can hold it. */
export type Clock = () => number

export const systemClock: Clock = Date.now

/** Resolves after `ms`, or as soon as the signal aborts; never rejects, the caller looks at the signal. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', done, { once: true })
    function done() {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
  })
}

/** Wakes all who sleep until the next beat: each takes `next` before it looks, so that no beat is missed. */
export class Pulse {
  private current = new AbortController()

  next(): AbortSignal {
    return this.current.signal
  }

  beat(): void {
    this.current.abort()
    this.current = new AbortController()
  }
}

/** A duration spread evenly over 75 to 125 percent, so that many waiters do not come back at one instant. */
export function jittered(ms: number, random: () => number = Math.random): number {
  return Math.round(ms * (0.75 + random() * 0.5))
}

/** RFC 3339 in UTC with milliseconds, `2025-11-07T20:56:59.000Z`: sorts as text in order of time. */
export function timestamp(ms: number): string {
  return new Date(ms).toISOString()
}
