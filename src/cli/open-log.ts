import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { whyRefused } from '../util/file-error.ts'
import { createLog, type Log } from '../util/log.ts'

/** The log as configured; `write` is where its lines go on a terminal that something else draws on. */
export function openLog(logging: Config['logging'], write?: (line: string) => void): Log {
  try {
    return createLog({ ...logging, ...(write ? { write } : {}) })
  } catch (error) {
    const message = `cannot write logging.output_path ${logging.output_path}: ${whyRefused(error)}`
    throw new DarkstreamError('unavailable', message, { cause: error })
  }
}
