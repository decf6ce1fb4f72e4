import type { Api } from '../../contract/api.ts'
import { DarkstreamError, type ErrorCode } from '../../contract/error.ts'
import type { FileTransfer } from '../../contract/files.ts'
import type { Log } from '../../util/log.ts'
import type { Pace } from './pace.ts'

/** What transfers of a worker have in common. */
export interface TransferParts {
  api: Api
  transfer: FileTransfer
  worker_id: string
  pace: Pace
  /** Milliseconds without a byte after which a transfer is begun anew where it was. */
  stall_timeout_ms: number
  /** Milliseconds before the master is asked again. */
  retry_pause_ms: number
  log: Log
}

/** What asking again would not change; a line that is cut, or a master that is away, may come back. */
const refusals = new Set<ErrorCode>(['conflict', 'not_found', 'invalid_request', 'forbidden', 'method_not_allowed'])

/** Whether the master does not want to, and will not when asked again. */
export function isRefused(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && refusals.has(error.code)
}

/** A signal that aborts when nothing was told for a while, and with another one. */
export function stallSignal(timeout_ms: number, signal: AbortSignal) {
  const stalled = new AbortController()
  const late = () => stalled.abort(new DarkstreamError('unreachable', `no byte came for ${timeout_ms / 1000} s`))
  let timer = setTimeout(late, timeout_ms)
  return {
    signal: AbortSignal.any([signal, stalled.signal]),
    /** A byte came. */
    live() {
      clearTimeout(timer)
      timer = setTimeout(late, timeout_ms)
    },
    end: () => clearTimeout(timer),
  }
}
