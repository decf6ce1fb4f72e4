import { pathText } from '../contract/gpu.ts'
import type { Reply } from '../contract/routes.ts'
import type { WorkerView } from '../contract/worker.ts'
import { asideText } from '../master/worker-views.ts'
import { formatCount, formatDuration, printable } from '../util/format.ts'
import { answer, masterOf } from './ask.ts'
import { busiest, engineParts, setAsideLines, unusedReason } from './gpu-text.ts'
import { deepTree, tree } from './table.ts'
import type { CommandArgs } from './usage.ts'

/** Completions below which a measured rate is marked as a rough one. */
const fewJobs = 5

export async function run(args: CommandArgs): Promise<number> {
  const master = masterOf(args)
  const [stats, workers] = await Promise.all([master.stats({}), master.workers({ active_only: true })])
  answer(args, { ...stats, active_workers: workers.workers }, () => statusText(stats, workers))
  return 0
}

/** The contract's picture of a conversion, with measured figures or none. */
export function statusText(stats: Reply<'stats'>, { workers }: Reply<'workers'>): string {
  const { jobs } = stats
  const share = (count: number) => (jobs.total === 0 ? '' : ` (${((100 * count) / jobs.total).toFixed(1)}%)`)
  const waiting = jobs.awaiting_retry > 0 ? ` (${formatCount(jobs.awaiting_retry)} will be retried)` : ''
  const counts = [
    `Total Files: ${formatCount(jobs.total)}${stats.scan.running ? ' (scanning)' : ''}`,
    `Completed: ${formatCount(jobs.completed)}${share(jobs.completed)}`,
    `Processing: ${formatCount(jobs.processing)} (${stats.workers.vulkan} GPU workers)`,
    `Pending: ${formatCount(jobs.pending)}${share(jobs.pending)}`,
    ...(jobs.skipped > 0 ? [`Skipped: ${formatCount(jobs.skipped)}${share(jobs.skipped)}`] : []),
    ...(jobs.cancelled > 0 ? [`Cancelled: ${formatCount(jobs.cancelled)}`] : []),
    `Failed: ${formatCount(jobs.failed)}${waiting}`,
  ]
  return [
    `📊 Conversion Progress\n${tree(counts)}\n`,
    `⏱️  Estimated Time Remaining: ${remaining(stats)}\n`,
    `🖥️  Active Workers: ${workers.length}\n${deepTree(workers.map(workerEntry))}\n`,
    `📈 Throughput: ${throughput(stats)}\n`,
    fallbacks(stats),
  ].join('')
}

/** What a worker does, and below it what keeps it or its GPUs from doing more. */
function workerEntry(worker: WorkerView): { line: string; lines: string[] } {
  const { id, active_jobs, gpu_report, set_aside, obstacle } = worker
  // A machine without a GPU is no news.
  const unused = gpu_report?.has_gpu ? unusedReason(gpu_report) : undefined
  const lines = [
    ...(set_aside ? [asideText(set_aside)] : []),
    ...(obstacle ? [`takes no jobs: ${obstacle}`] : []),
    ...(gpu_report ? setAsideLines(gpu_report) : []),
    ...(unused === undefined ? [] : [unused]),
  ]
  return { line: `${id}: ${active_jobs} jobs (${use(worker)})`, lines }
}

/** `GPU: 87%, encoder 40%, decoder 12%` of the busiest GPU as far as it tells, else `CPU: 12%`. */
function use({ cpu_usage, gpu_usage, gpu_report }: WorkerView): string {
  if (gpu_usage === null) return `CPU: ${Math.round(cpu_usage)}%`
  const gpu = busiest(gpu_report?.gpus ?? [])
  return [`GPU: ${Math.round(gpu_usage)}%`, ...(gpu ? engineParts(gpu) : [])].join(', ')
}

/** How often a GPU failed and another path took over, with the newest reason of the path that took over most; else nothing. */
function fallbacks({ paths }: Reply<'stats'>): string {
  const count = paths.reduce((sum, path) => sum + path.fell_back, 0)
  if (count === 0) return ''
  const [most, ...others] = paths.filter((path) => path.fell_back > 0).toSorted((a, b) => b.fell_back - a.fell_back)
  const where = most && others.length > 0 ? ` to ${pathText(most)}` : ''
  const fell = `${formatCount(count)} ${count === 1 ? 'conversion' : 'conversions'} fell back from a GPU`
  return `\n⚠️  ${printable(`${fell}; the last${where}: ${most?.last_reason ?? 'no reason given'}`)}\n`
}

function remaining(stats: Reply<'stats'>): string {
  if (stats.eta_seconds === null) return 'unknown'
  if (stats.eta_seconds === 0) return 'nothing left'
  return `${rough(stats)}${formatDuration(stats.eta_seconds)}`
}

function throughput(stats: Reply<'stats'>): string {
  if (stats.files_per_hour === null) return 'unknown'
  const rate = stats.files_per_hour
  return `${rough(stats)}${rate < 100 ? rate.toFixed(1) : formatCount(Math.round(rate))} files/hour (avg)`
}

function rough(stats: Reply<'stats'>): string {
  return stats.measured_jobs < fewJobs ? '~' : ''
}
