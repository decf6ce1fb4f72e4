import { maxPartBytes } from '../../contract/files.ts'

const firstPartBytes = 1 * 1024 * 1024
/** Bytes of the shortest parts. */
export const leastPartBytes = 65_536
/** Milliseconds that a part should take, roughly: what is cut is sent again. */
const partMs = 1000
/** By how much a part may be longer or shorter than the one before. */
const maxGrowth = 8

/** How long the parts of a worker's uploads are: about a second of its line, as those before have shown it. */
export class PartLength {
  private bytes = firstPartBytes
  private most = maxPartBytes

  /** Bytes of the next part. */
  get next(): number {
    return this.bytes
  }

  /** A part is through. Those that ended with their file sooner tell nothing of the line. */
  took(length: number, elapsed_ms: number): void {
    if (length < this.bytes) return
    // By powers of two, so that small changes of the line change nothing.
    const growth = 2 ** Math.round(Math.log2(partMs / elapsed_ms))
    this.bytes = this.limited(length * Math.max(1 / maxGrowth, Math.min(growth, maxGrowth)))
  }

  /** A part did not come through. */
  failed(length: number): void {
    this.bytes = this.limited(length / 2)
  }

  /** A part was too long for somebody on the way, who will not take a longer one either. */
  refused(length: number): void {
    this.most = Math.max(leastPartBytes, Math.floor(length / 2))
    this.failed(length)
  }

  private limited(bytes: number): number {
    return Math.max(leastPartBytes, Math.min(Math.floor(bytes), this.most))
  }
}
