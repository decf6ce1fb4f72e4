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
    ...metric('darkstream_kept_original_bytes', 'gauge', 'Bytes of originals kept aside in replace mode.', [
      ['', stats.bytes.kept_originals],
    ]),
    ...metric('darkstream_files_per_hour', 'gauge', 'Measured completions per hour.', [['', stats.files_per_hour]]),
    ...metric('darkstream_eta_seconds', 'gauge', 'Seconds until nothing is pending.', [['', stats.eta_seconds]]),
    ...metric(
      'darkstream_worker_active_jobs',
      'gauge',
      'Jobs a worker runs.',
      workers.map((worker) => [labels({ worker: worker.id }), worker.active_jobs]),
    ),
    ...metric(
      'darkstream_worker_up',
      'gauge',
      'Whether a worker was heard from.',
      workers.map((worker) => [labels({ worker: worker.id }), worker.active ? 1 : 0]),
    ),
    ...metric(
      'darkstream_worker_set_aside',
      'gauge',
      'Whether a worker is given no jobs for a while because it failed at everything.',
      workers.map((worker) => [labels({ worker: worker.id }), worker.set_aside ? 1 : 0]),
    ),
    ...gpuMetrics(workers),
    ...metric(
      'darkstream_completed_jobs_by_path',
      'counter',
      'Completions by what they ran on.',
      stats.paths.map((path) => [pathLabels(path), path.jobs]),
    ),
    ...metric(
      'darkstream_fallbacks_by_path',
      'counter',
      'Completions in which a GPU failed first, by what they ran on then.',
      stats.paths.map((path) => [pathLabels(path), path.fell_back]),
    ),
    '',
  ].join('\n')
}

const engines = {
  gpu_usage: ['usage', 'Percent of the time in which a GPU was busy.'],
  gpu_encoder_usage: ['encoder_usage', "Percent of the time in which a GPU's encoders were busy."],
  gpu_decoder_usage: ['decoder_usage', "Percent of the time in which a GPU's decoders were busy."],
} as const

/** By the GPU's id, since names need not be unique; `darkstream_worker_gpu_info` tells the name. */
function gpuMetrics(workers: Reply<'workers'>['workers']): string[] {
  const gpus = workers.flatMap((worker) => {
    const byId = new Map(worker.gpu_report?.gpus.map((gpu) => [gpu.id, gpu]))
    return [...byId.values()].map((gpu) => ({ worker: worker.id, gpu }))
  })
  const samples = (of: (typeof engines)[keyof typeof engines][0]) =>
    gpus.map(({ worker, gpu }) => [labels({ worker, gpu: gpu.id }), gpu[of]] as const)
  return [
    ...metric(
      'darkstream_worker_gpu_info',
      'gauge',
      'The GPUs that a worker has.',
      gpus.map(({ worker, gpu }) => [labels({ worker, gpu: gpu.id, name: gpu.name }), 1]),
    ),
    ...metric(
      'darkstream_worker_gpu_set_aside',
      'gauge',
      'Whether a GPU is set aside after failures.',
      gpus.map(({ worker, gpu }) => [labels({ worker, gpu: gpu.id }), gpu.set_aside === null ? 0 : 1]),
    ),
    ...Object.entries(engines).flatMap(([name, [of, help]]) =>
      metric(`darkstream_worker_${name}_percent`, 'gauge', help, samples(of)),
    ),
  ]
}

function pathLabels({ encoder, decode, filter, device }: Reply<'stats'>['paths'][number]): string {
  return labels({ encoder, decode, filter, device })
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
  return Object.entries(counts).map(([state, count]) => [labels({ status: state }), count])
}

/** Labels in Prometheus' form; one that is null is left out. */
function labels(pairs: Record<string, string | null>): string {
  const parts = Object.entries(pairs).flatMap(([name, value]) =>
    value === null ? [] : [`${name}="${escaped(value)}"`],
  )
  return `{${parts.join(',')}}`
}

function escaped(value: string): string {
  return value
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('"', String.raw`\"`)
    .replaceAll('\n', String.raw`\n`)
}
