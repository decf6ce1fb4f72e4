import { relative, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import type { Verdict } from './dry-run.ts'
import { sizeText } from './plan-text.ts'
import { table } from './table.ts'

/** What would become of one file, in a line. */
export function verdictLine(verdict: Verdict, { root_path, output_base }: Config['scanner']): string {
  const source = printable(relative(resolve(root_path), verdict.source_path))
  if (verdict.action !== 'convert') return `would ${verdict.action}     ${source}: ${printable(verdict.reason)}\n`
  const { plan } = verdict
  const output = printable(relative(resolve(output_base), plan.output_path))
  const { codec, width, height } = plan.result
  const sizes = `${formatBytes(plan.source.size_bytes)} -> ${sizeText(plan.result)}`
  const remarks = [...(plan.likely_skip === null ? [] : [`probably skipped: ${plan.likely_skip}`]), ...plan.notes]
  const lines = remarks.map((remark) => `               ${printable(remark)}\n`)
  return [`would convert  ${source} -> ${output}  (${codec} ${width}x${height}, ${sizes})\n`, ...lines].join('')
}

/** The totals of a dry run. */
export function dryRunSummary(
  verdicts: readonly Verdict[],
  { done, skipped, problems }: { done: number; skipped: number; problems: readonly string[] },
): string {
  const plans = verdicts.flatMap((verdict) => (verdict.action === 'convert' ? [verdict.plan] : []))
  const skips = verdicts.filter(({ action }) => action === 'skip').length
  const bytes = plans.reduce((sum, plan) => sum + plan.source.size_bytes, 0)
  const seconds = plans.reduce((sum, plan) => sum + (plan.source.duration_seconds ?? 0), 0)
  const known = plans.filter(({ result }) => result.bytes !== null)
  const expected = known.reduce((sum, { result }) => sum + (result.bytes ?? 0), 0)
  const unknown = plans.length - known.length
  const rows = [
    ['to convert', formatCount(plans.length)],
    ...(skips > 0 ? [['would skip', formatCount(skips)]] : []),
    ['would fail', formatCount(verdicts.length - plans.length - skips)],
    ...(done > 0 ? [['done before', formatCount(done)]] : []),
    ...(skipped > 0 ? [['skipped before, or by path', formatCount(skipped)]] : []),
    ['size now', formatBytes(bytes)],
    ...(known.length > 0
      ? [
          [
            'size expected',
            `${formatBytes(expected)}${unknown > 0 ? `, and ${formatCount(unknown)} that cannot be told` : ''}`,
          ],
        ]
      : []),
    ['film', formatDuration(seconds)],
  ]
  const unscanned = problems.map((problem) => `not scanned: ${printable(problem)}\n`)
  return ['\n', table(['dry run', 'files'], rows), ...unscanned, '\nnothing was written\n'].join('')
}
