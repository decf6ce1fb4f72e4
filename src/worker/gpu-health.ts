/** What is known of the failures of a GPU, or of one path on it. Times are milliseconds of a clock that never goes back. */
export interface GpuHealth {
  /** Jobs in a row that it failed. */
  failures: number
  /** How often in a row it was set aside. */
  pauses: number
  /** Not to be used before this; 0 when it was never set aside. */
  aside_until: number
  /** Of the newest failure. */
  reason: string
}

export const healthy: GpuHealth = { failures: 0, pauses: 0, aside_until: 0, reason: '' }

/** Jobs in a row after which a GPU is set aside, and for how long: doubled each time, up to the longest. */
const failuresAllowed = 3
const firstPauseMs = 60_000
const longestPauseMs = 3_600_000

/**
 * After a failure: the third in a row sets the GPU aside, and so does the first after it came back. What had begun before
 * it was set aside says nothing new.
 */
export function afterFailure(health: GpuHealth, reason: string, now: number): GpuHealth {
  if (isSetAside(health, now)) return health
  const failures = health.failures + 1
  if (failures < failuresAllowed) return { ...health, failures, reason }
  const pause = Math.min(firstPauseMs * 2 ** health.pauses, longestPauseMs)
  return { failures, pauses: health.pauses + 1, aside_until: now + pause, reason }
}

/** Whether a GPU is set aside. */
export function isSetAside({ aside_until }: GpuHealth, now: number): boolean {
  return now < aside_until
}
