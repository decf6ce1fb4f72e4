import { pathText } from '../contract/gpu.ts'
import type { Reply } from '../contract/routes.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import { answer, masterOf } from './ask.ts'
import { table } from './table.ts'
import type { CommandArgs } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const stats = await masterOf(args).stats({})
  answer(args, stats, () => statsText(stats))
  return 0
}

/** The figures, one a line, and below them what the conversions ran on and what went wrong. */
export function statsText(stats: Reply<'stats'>): string {
  const { jobs, bytes, scan, workers } = stats
  const ratio =
    bytes.completed_source > 0 ? ` (${Math.round((100 * bytes.completed_output) / bytes.completed_source)}%)` : ''
  const figures = table(
    ['figure', 'value'],
    [
      ...Object.entries(jobs).map(([name, count]) => [`jobs ${name.replace('_', ' ')}`, formatCount(count)]),
      ['source left', formatBytes(bytes.remaining)],
      ['source converted', formatBytes(bytes.completed_source)],
      ['results', `${formatBytes(bytes.completed_output)}${ratio}`],
      ['originals kept aside', formatBytes(bytes.kept_originals)],
      ['files per hour', stats.files_per_hour === null ? 'unknown' : stats.files_per_hour.toFixed(1)],
      ['time remaining', stats.eta_seconds === null ? 'unknown' : formatDuration(stats.eta_seconds)],
      [
        'time per job (median)',
        stats.median_job_seconds === null ? 'unknown' : formatDuration(stats.median_job_seconds),
      ],
      ['workers active', `${workers.active} of ${workers.total}`],
      ['jobs in hand', formatCount(workers.active_jobs)],
      [
        'scan',
        scan.running
          ? `running, ${formatCount(scan.files_seen)} videos so far`
          : `${formatCount(scan.files_seen)} videos`,
      ],
      ['last scan', scan.last_completed_at ?? 'none yet'],
      ['files still being written', formatCount(scan.settling)],
      ['master', `${stats.version}, since ${stats.started_at}`],
    ],
  )
  return `${figures}${pathsTable(stats)}${section('Could not be read', scan.problems)}${section(
    'Failures',
    stats.failures.map(({ error_message, count }) => `${formatCount(count)} x ${error_message}`),
  )}`
}

/** What the completed conversions ran on; nothing before the first whose worker told. */
function pathsTable({ paths }: Reply<'stats'>): string {
  if (paths.length === 0) return ''
  const rows = paths.map((path) => [
    pathText(path),
    formatCount(path.jobs),
    formatCount(path.fell_back),
    path.last_reason ?? '',
  ])
  return `\n${table(['Ran on', 'jobs', 'fallbacks', 'last reason'], rows)}`
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${printable(line)}\n`).join('')}`
}
