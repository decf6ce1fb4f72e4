/** Milliseconds for which smaller jobs may go before a larger one whose turn it is. */
const patienceMs = 600_000

/** Sees that a large source, for which there is room only when others have ended, is not passed over for ever. */
export class PassedOver {
  private readonly now: () => number
  private bytes = 0
  private since = 0

  /** `now` in milliseconds, from anywhere; the system's unless told. */
  constructor(now: () => number = () => performance.now()) {
    this.now = now
  }

  /** What a claim told: the size of the source before whose turn its job was given; null for none. */
  note(bytes: number | null): void {
    if (this.bytes === 0) this.since = this.now()
    this.bytes = bytes ?? 0
  }

  /** Bytes of room that are to be waited for before the next job is asked for: 0 while there is patience. */
  get owed_bytes(): number {
    return this.now() - this.since < patienceMs ? 0 : this.bytes
  }
}
