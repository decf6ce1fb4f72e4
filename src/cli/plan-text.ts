import { pathText } from '../contract/gpu.ts'
import { formatBytes, formatClock, printable } from '../util/format.ts'
import { shellQuoted } from './jobs.ts'
import type { PlanReport } from './plan-report.ts'
import { table } from './table.ts'

/** A planned file for people: each stream with what becomes of it and why, the result, and the command to paste. */
export function planText(report: PlanReport): string {
  const { source, streams, notes, reasons } = report
  const rows = streams.map((stream) => [
    String(stream.index),
    stream.kind,
    stream.codec,
    stream.language ?? '',
    stream.action,
    stream.to ?? '',
    stream.reason,
  ])
  const length = source.duration_seconds === null ? 'length unknown' : formatClock(source.duration_seconds)
  const chapters = source.chapters === 0 ? [] : [`${source.chapters} chapters`]
  return [
    `source: ${printable(report.source_path)}\n`,
    `  ${[source.formats[0] ?? '', length, formatBytes(source.size_bytes), ...chapters].join(', ')}\n`,
    report.profile === null ? '\n' : `profile: ${printable(report.profile)}\n\n`,
    table(['stream', 'kind', 'codec', 'lang', 'action', 'to', 'why'], rows),
    `\nresult: ${printable(report.output_path)}\n`,
    `  ${report.width}x${report.height}\n`,
    `ran by: ${printable(pathText(report.runs_on))}\n`,
    ...reasons.map((reason) => `  - ${printable(reason)}\n`),
    ...notes.map((note) => `note: ${printable(note)}\n`),
    `\n${printable(report.command.map(shellQuoted).join(' '))}\n`,
  ].join('')
}
