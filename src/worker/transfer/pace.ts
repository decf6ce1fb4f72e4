import { sleep } from '../../util/clock.ts'

/** Seconds of the bandwidth in one request: short, so that no limit is passed for long. */
const pieceSeconds = 0.5
const leastPieceBytes = 16_384

/** Keeps all transfers of a worker together below a bandwidth. */
export class Pace {
  /** Bytes per millisecond; null for no limit. */
  private readonly rate: number | null
  private readonly now: () => number
  /** When the line is free again, in milliseconds of `now`. */
  private freeAt = 0

  /** @param bandwidth bits per second; null for no limit */
  constructor(bandwidth: number | null, now: () => number = () => performance.now()) {
    this.rate = bandwidth === null ? null : bandwidth / 8000
    this.now = now
  }

  /** The most bytes to ask for at once; null where there is no limit. */
  get pieceBytes(): number | null {
    return this.rate === null ? null : Math.max(leastPieceBytes, Math.floor(this.rate * 1000 * pieceSeconds))
  }

  /** Waits until so many bytes may go; those that come later wait behind them. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    if (this.rate === null) return
    const start = Math.max(this.freeAt, this.now())
    this.freeAt = start + bytes / this.rate
    if (start > this.now()) await sleep(start - this.now(), signal)
    signal.throwIfAborted()
  }
}
