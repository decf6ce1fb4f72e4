import type { Log } from '../util/log.ts'

/** Milliseconds between two lines about one address. */
const pauseMs = 60_000
/** Addresses that are remembered; the one that was told of first is forgotten first. */
const maxAddresses = 1000

/** Tells of calls with tokens that do not hold: who guesses shows, and so does a worker with an old one. */
export class RefusalLog {
  private readonly log: Log
  private readonly now: () => number
  private readonly told = new Map<string, { at: number; since: number }>()

  /** `now`: milliseconds of a clock that never goes back. */
  constructor(log: Log, now: () => number) {
    this.log = log
    this.now = now
  }

  /** At once of the first call from an address, then once a minute of those since. */
  note(address: string): void {
    const at = this.now()
    const known = this.told.get(address)
    if (known && at - known.at < pauseMs) {
      known.since++
      return
    }
    const more = known && known.since > 0 ? `, ${known.since} more since this was told last` : ''
    this.log.warn(`refused: a call from ${address || 'an unknown address'} with a token that does not hold${more}`)
    this.told.delete(address)
    this.told.set(address, { at, since: 0 })
    const [oldest] = this.told.keys()
    if (this.told.size > maxAddresses && oldest !== undefined) this.told.delete(oldest)
  }
}
