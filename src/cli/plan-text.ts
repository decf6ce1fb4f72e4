import { pathText } from '../contract/gpu.ts'
import type { ExpectedSize } from '../pipeline/expected-size.ts'
import { formatBytes, formatClock, printable } from '../util/format.ts'
import { shellQuoted } from './shell-quoted.ts'
import type { PlanReport } from './plan-report.ts'
import { table } from './table.ts'

/** A planned file for people: each stream with what becomes of it and why, the result, and the commands to paste. */
export function planText(report: PlanReport): string {
  const { source, result, streams, notes, reasons } = report
  const rows = streams.map((stream) => [
    String(stream.index),
    stream.kind,
    stream.codec,
    stream.language ?? '',
    stream.action,
    stream.to ?? '',
    stream.reason,
  ])
  return [
    `source: ${printable(report.source_path)}\n`,
    `  ${sourceText(source)}\n`,
    report.profile === null ? '\n' : `profile: ${printable(report.profile)}\n\n`,
    table(['stream', 'kind', 'codec', 'lang', 'action', 'to', 'why'], rows),
    `\nresult: ${printable(report.output_path)}\n`,
    `  ${result.codec} ${result.width}x${result.height} ${result.pixel_format}, ${sizeText(result)}\n`,
    report.likely_skip === null ? '' : `  probably skipped in the end: ${report.likely_skip}\n`,
    `would run on: ${printable(pathText(report.runs_on))}\n`,
    ...reasons.map((reason) => `  - ${printable(reason)}\n`),
    ...notes.map((note) => `note: ${printable(note)}\n`),
    ...report.commands.map((command) => `\n${printable(command.map(shellQuoted).join(' '))}\n`),
  ].join('')
}

function sourceText({ format, codec, width, height, pixel_format, is_hdr, ...source }: PlanReport['source']): string {
  const length = source.duration_seconds === null ? 'length unknown' : formatClock(source.duration_seconds)
  const picture = `${codec} ${width}x${height} ${pixel_format ?? ''}${is_hdr ? ' HDR' : ''}`.trimEnd()
  const chapters = source.chapters === 0 ? [] : [`${source.chapters} chapters`]
  return [format, picture, length, formatBytes(source.size_bytes), ...chapters].join(', ')
}

/** `about 1.2 GB`, or why nobody can tell. */
export function sizeText({ bytes, most_bytes, reason }: ExpectedSize): string {
  const most = most_bytes === null ? '' : `, at most ${formatBytes(most_bytes)}`
  return bytes === null ? `size not known (${reason ?? 'no reason'})${most}` : `about ${formatBytes(bytes)}${most}`
}
