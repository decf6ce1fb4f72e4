/** How often something may happen: at once, and for each second that passes. */
export interface Rate {
  burst: number
  per_second: number
}

/** Callers that are remembered; who has not called for longest is forgotten, with a full allowance. */
const maxCallers = 10_000

/** Allowances by caller, each a bucket that fills with time (a token bucket, with nothing to do with ours). */
export class RateLimit {
  private readonly rate: Rate
  private readonly now: () => number
  private readonly buckets = new Map<string, { left: number; at: number }>()

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(rate: Rate, now: () => number) {
    this.rate = rate
    this.now = now
  }

  /** Takes one of a caller's allowance: 0, or the whole seconds until there is one again. */
  take(caller: string): number {
    const { burst, per_second } = this.rate
    const at = this.now()
    const known = this.buckets.get(caller) ?? { left: burst, at }
    const left = Math.min(burst, known.left + ((at - known.at) / 1000) * per_second)
    this.buckets.delete(caller)
    this.buckets.set(caller, { left: left >= 1 ? left - 1 : left, at })
    const [oldest] = this.buckets.keys()
    if (this.buckets.size > maxCallers && oldest !== undefined) this.buckets.delete(oldest)
    return left >= 1 ? 0 : Math.ceil((1 - left) / per_second)
  }
}
