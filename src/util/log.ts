import { mkdirSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createConsola, type LogObject } from 'consola'
import { printable } from './format.ts'

export const logLevels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

/** Facts that go with a line; in JSON they are keys of their own, in text `key=value`. */
export type LogFields = Record<string, string | number | boolean | null | undefined>

export interface Log {
  error(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  /** A log whose every line carries these facts too. */
  with(fields: LogFields): Log
}

export interface LogOptions {
  level: LogLevel
  format: 'text' | 'json'
  /** A file that gets every line too; null for none. */
  output_path: string | null
  /** Where lines go, with how important they are; standard error unless a test or a live display says otherwise. */
  write?: (line: string, level: LogLevel) => void
}

/** consola's numbers for our levels. */
const consolaLevel = { error: 0, warn: 1, info: 3, debug: 4 } as const

/**
 * Opens a log. Lines go to standard error, so that standard output holds answers only; to the file each is written before
 * the call returns, so that the last words of a program that ends are in it. Throws when the file cannot be opened.
 */
export function createLog(options: LogOptions): Log {
  const file = options.output_path === null ? undefined : openLogFile(options.output_path)
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  const format = options.format === 'json' ? jsonLine : textLine
  const consola = createConsola({
    level: consolaLevel[options.level],
    throttle: 0,
    reporters: [
      {
        log(entry) {
          const line = format(entry)
          write(line, entry.type as LogLevel)
          if (file !== undefined) appendLine(file, line)
        },
      },
    ],
  })
  return withFields({})

  function withFields(base: LogFields): Log {
    const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
      consola[level](message, { ...base, ...fields })
    return {
      error: at('error'),
      warn: at('warn'),
      info: at('info'),
      debug: at('debug'),
      with: (fields) => withFields({ ...base, ...fields }),
    }
  }
}

function openLogFile(path: string): number {
  mkdirSync(dirname(path), { recursive: true })
  return openSync(path, 'a')
}

/** A full disk must not end the program that wants to tell of it; the line was written to standard error already. */
function appendLine(file: number, line: string): void {
  try {
    writeSync(file, line)
  } catch {}
}

/** `2025-11-07T20:56:59.000Z INFO  job completed job_id=0f3a attempt=1` */
function textLine(entry: LogObject): string {
  const [message, fields] = entry.args as [string, LogFields]
  const pairs = Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' && !/^[\w./:@+-]+$/.test(value) ? JSON.stringify(value) : value}`,
    )
  return `${entry.date.toISOString()} ${entry.type.toUpperCase().padEnd(5)} ${printable(message)}${pairs.join('')}\n`
}

/** One object a line, as log collectors read it. */
function jsonLine(entry: LogObject): string {
  const [message, fields] = entry.args as [string, LogFields]
  return `${JSON.stringify({ time: entry.date.toISOString(), level: entry.type, message, ...fields })}\n`
}
