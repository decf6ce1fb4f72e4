import * as v from 'valibot'
import { Text } from './fields.ts'
import type { RanOn } from './gpu.ts'

/** Where in a file's journey an attempt ended. */
export const conversionSteps = ['stage', 'probe', 'plan', 'encode', 'verify', 'publish'] as const
export type ConversionStep = (typeof conversionSteps)[number]

/**
 * `permanent`: the same source will fail again, so it is not retried by itself. `retryable`: tried again after a pause.
 * `worker`: this worker cannot do it (a missing encoder, a full cache); another may.
 */
export const failureClasses = ['permanent', 'retryable', 'worker'] as const
export type FailureClass = (typeof failureClasses)[number]

/** What is kept of a failed attempt beside its message. */
export const FailureReport = v.object({
  class: v.picklist(failureClasses),
  step: v.picklist(conversionSteps),
  /** The argv that failed, program first; empty when no program ran. */
  command: v.array(Text(32_768)),
  /** The last lines that ffmpeg or ffprobe wrote to stderr. */
  stderr_tail: Text(16_384),
  /** The program's exit status; null when none ran or a signal ended it. */
  exit_code: v.nullable(v.number()),
})
export type FailureReport = v.InferOutput<typeof FailureReport>

/** A conversion that ended without a result, told in a sentence a person understands. */
export class ConversionError extends Error {
  readonly report: FailureReport
  /** What it ran on; null when it did not come to an encode. */
  ran_on: RanOn | null = null

  constructor(message: string, report: Pick<FailureReport, 'class' | 'step'> & Partial<FailureReport>) {
    super(message)
    this.name = 'ConversionError'
    this.report = { command: [], stderr_tail: '', exit_code: null, ...report }
  }
}
