import type { ConversionRecord } from '../contract/conversion-record.ts'
import type { RanOn } from '../contract/gpu.ts'

/**
 * A conversion that turned out not to be wanted, told in a sentence with the figure that decided. No failure: the same
 * source and settings would come to the same.
 */
export class SkippedError extends Error {
  /** What it was decided from; null until `convert` knows. */
  record: ConversionRecord | null = null
  /** What it ran on; null when it did not come to an encode. */
  ran_on: RanOn | null = null

  constructor(message: string) {
    super(message)
    this.name = 'SkippedError'
  }
}
