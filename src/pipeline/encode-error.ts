import { ConversionError } from '../contract/failure.ts'

/** An encode that failed, and whether another path could do better where this one could not. */
export class EncodeError extends ConversionError {
  /** `storage`: a disk or its file system. `stall`: it stood still. `other`: source, encoder, driver or memory. */
  readonly kind: 'storage' | 'stall' | 'other'

  constructor(kind: EncodeError['kind'], message: string, report: ConversionError['report']) {
    super(message, report)
    this.kind = kind
  }
}
