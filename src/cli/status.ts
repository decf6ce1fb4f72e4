import type { Reply } from '../contract/routes.ts'
import { formatCount, formatDuration } from '../util/format.ts'
import { answer, masterOf } from './ask.ts'
import { tree } from './table.ts'
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
    ...(jobs.cancelled > 0 ? [`Cancelled: ${formatCount(jobs.cancelled)}`] : []),
    `Failed: ${formatCount(jobs.failed)}${waiting}`,
  ]
  const lines = workers.map(
    (worker) => `${worker.id}: ${worker.active_jobs} jobs (CPU: ${Math.round(worker.cpu_usage)}%)`,
  )
  return [
    `📊 Conversion Progress\n${tree(counts)}\n`,
    `⏱️  Estimated Time Remaining: ${remaining(stats)}\n`,
    `🖥️  Active Workers: ${workers.length}\n${tree(lines)}\n`,
    `📈 Throughput: ${throughput(stats)}\n`,
  ].join('')
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
