import { ConversionError } from '../contract/failure.ts'

/** An encode that failed, and whether another path could do better where this one could not. */
export class EncodeError extends ConversionError {
  /**
   * `storage`: a disk or its file system. `stall`: it stood still. `unsupported`: a GPU's decoder does not take this
   * kind of source, though it takes its codec. `other`: source, encoder, driver or memory.
   */
  readonly kind: 'storage' | 'stall' | 'unsupported' | 'other'

  constructor(kind: EncodeError['kind'], message: string, report: ConversionError['report']) {
    super(message, report)
    this.kind = kind
  }
}
