import { type Kind, kinds } from './invariants.ts'

/** What came of a fault, over all the rounds that had it. */
export interface Row extends Record<Kind, number> {
  fault: string
  /** Times. */
  injected: number
  /** Times that its moment did not come or was over. */
  missed: number
  /** Sources of its rounds. */
  jobs: number
  /** Jobs that ended as failed, with a reason, and were completed when retried by hand. */
  failed: number
  /** From the end of the fault to rest. */
  longest_recovery_ms: number
}

export function emptyRow(fault: string): Row {
  const none = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>
  return { fault, injected: 0, missed: 0, jobs: 0, failed: 0, longest_recovery_ms: 0, ...none }
}

/** The rows as Markdown, with a last one for all. */
export function tableText(rows: readonly Row[]): string {
  const columns = ['injected', 'missed', 'jobs', ...kinds, 'failed'] as const
  const total = emptyRow('**all**')
  for (const row of rows) {
    for (const column of columns) total[column] += row[column]
    total.longest_recovery_ms = Math.max(total.longest_recovery_ms, row.longest_recovery_ms)
  }
  const lines = [...rows, total].map((row) => [
    row.fault,
    ...columns.map((column) => String(row[column])),
    `${(row.longest_recovery_ms / 1000).toFixed(1)} s`,
  ])
  const head = ['fault', ...columns, 'longest recovery']
  const widths = head.map((name, index) => Math.max(name.length, ...lines.map((line) => line[index]?.length ?? 0)))
  const text = (line: readonly string[]) =>
    `| ${line.map((cell, index) => (index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, index) => (index === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`
  return [text(head), rule, ...lines.map(text)].join('\n')
}
