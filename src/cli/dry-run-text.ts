import { relative, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import type { Verdict } from './dry-run.ts'
import { table } from './table.ts'

/** What would become of one file, in a line. */
export function verdictLine(verdict: Verdict, { root_path, output_base }: Config['scanner']): string {
  const source = printable(relative(resolve(root_path), verdict.source_path))
  if (verdict.action !== 'convert') return `would ${verdict.action}     ${source}: ${printable(verdict.reason)}\n`
  const { plan } = verdict
  const output = printable(relative(resolve(output_base), plan.output_path))
  const film = plan.streams.find(({ action, kind }) => kind === 'video' && action === 'encode')
  const facts = [`${film?.to ?? 'video'} ${plan.width}x${plan.height}`, formatBytes(plan.source.size_bytes)]
  const notes = plan.notes.map((note) => `               note: ${printable(note)}\n`)
  return [`would convert  ${source} -> ${output}  (${facts.join(', ')})\n`, ...notes].join('')
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
  const rows = [
    ['to convert', formatCount(plans.length)],
    ...(skips > 0 ? [['would skip', formatCount(skips)]] : []),
    ['would fail', formatCount(verdicts.length - plans.length - skips)],
    ...(done > 0 ? [['done before', formatCount(done)]] : []),
    ...(skipped > 0 ? [['skipped before, or by path', formatCount(skipped)]] : []),
    ['size now', formatBytes(bytes)],
    ['film', formatDuration(seconds)],
  ]
  const unscanned = problems.map((problem) => `not scanned: ${printable(problem)}\n`)
  return ['\n', table(['dry run', 'files'], rows), ...unscanned, '\nnothing was written\n'].join('')
}
