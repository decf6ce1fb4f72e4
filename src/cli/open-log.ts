import { fstatSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { whyRefused } from '../util/file-error.ts'
import { createLog, type Log, type LogLevel } from '../util/log.ts'

/** sd-daemon(3): numbers of syslog, by which `journalctl --priority` chooses. */
const priority: Record<LogLevel, number> = { error: 3, warn: 4, info: 6, debug: 7 }

/**
 * The log as configured; `write` is where its lines go on a terminal that something else draws on. The journal of systemd gets
 * them with their priority, and without the time, which it notes itself.
 */
export function openLog(logging: Config['logging'], write?: (line: string) => void): Log {
  try {
    const to = write ?? (isJournal() ? writeToJournal : undefined)
    return createLog({ ...logging, ...(to ? { write: to } : {}) })
  } catch (error) {
    const message = `cannot write logging.output_path ${logging.output_path}: ${whyRefused(error)}`
    throw new DarkstreamError('unavailable', message, { cause: error })
  }
}

/** Whether standard error is the stream to the journal that systemd tells of: `device:inode`. */
function isJournal(): boolean {
  const stream = process.env['JOURNAL_STREAM']
  if (stream === undefined) return false
  const { dev, ino } = fstatSync(2)
  return stream === `${dev}:${ino}`
}

function writeToJournal(line: string, level: LogLevel): void {
  process.stderr.write(`<${priority[level]}>${line.replace(/^\d{4}-\d\d-\d\dT\S+ /, '')}`)
}
