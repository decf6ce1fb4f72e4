import type { Reply } from '../contract/routes.ts'

/** The figures of a master in Prometheus' text format. What was not measured yet is left out. */
export function metricsText(stats: Reply<'stats'>, { workers }: Reply<'workers'>): string {
  const { total: _, awaiting_retry, ...byStatus } = stats.jobs
  return [
    ...metric('darkstream_jobs', 'gauge', 'Jobs by state.', byState(byStatus)),
    ...metric('darkstream_jobs_awaiting_retry', 'gauge', 'Failed jobs that will be retried.', [['', awaiting_retry]]),
    ...metric('darkstream_remaining_source_bytes', 'gauge', 'Source bytes not converted yet.', [
      ['', stats.bytes.remaining],
    ]),
    ...metric('darkstream_completed_source_bytes', 'gauge', 'Source bytes of completed jobs.', [
      ['', stats.bytes.completed_source],
    ]),
    ...metric('darkstream_completed_output_bytes', 'gauge', 'Output bytes of completed jobs.', [
      ['', stats.bytes.completed_output],
    ]),
    ...metric('darkstream_files_per_hour', 'gauge', 'Measured completions per hour.', [['', stats.files_per_hour]]),
    ...metric('darkstream_eta_seconds', 'gauge', 'Seconds until nothing is pending.', [['', stats.eta_seconds]]),
    ...metric(
      'darkstream_worker_active_jobs',
      'gauge',
      'Jobs a worker runs.',
      workers.map((worker) => [label('worker', worker.id), worker.active_jobs]),
    ),
    ...metric(
      'darkstream_worker_up',
      'gauge',
      'Whether a worker was heard from.',
      workers.map((worker) => [label('worker', worker.id), worker.active ? 1 : 0]),
    ),
    '',
  ].join('\n')
}

function metric(
  name: string,
  type: string,
  help: string,
  samples: readonly (readonly [string, number | null])[],
): string[] {
  const lines = samples.filter(([, value]) => value !== null).map(([labels, value]) => `${name}${labels} ${value}`)
  return lines.length === 0 ? [] : [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines]
}

function byState(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts).map(([state, count]) => [label('status', state), count])
}

function label(name: string, value: string): string {
  const escaped = value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
  return `{${name}="${escaped}"}`
}
