import { readdirSync } from 'node:fs'
import { relative } from 'node:path'
import { formatBytes, formatCount, formatDuration } from '../util/format.ts'
import type { Master } from './build-master.ts'
import type { StartDisplay } from './start-display.ts'
import { printable, table } from './table.ts'

/** Failures listed at most; `darkstream jobs --status failed` has all. */
const maxListed = 50

/** Prints what a run came to, and gives its exit code: 1 when any job has failed or the run was cut short. */
export async function printSummary(
  master: Master,
  run: {
    display: StartDisplay
    folders: { source: string; output: string }
    /** Jobs completed in this run, and before it. */
    converted: number
    unchanged: number
    seconds: number
    interrupted: boolean
  },
): Promise<number> {
  const { by_status, completed_source_bytes, completed_output_bytes } = await master.store.totals()
  const total = Object.values(by_status).reduce((sum, count) => sum + count, 0)
  // A folder that never held anything is no trouble; one that did may be a storage that is not mounted.
  const isNew = total === 0 && readdirSync(run.folders.source).length === 0
  const problems = isNew ? [`${run.folders.source} is empty`] : master.scanner.report().problems
  const { say } = run.display
  say('')
  say(
    table(
      ['result', 'files'],
      [
        ['converted', formatCount(run.converted)],
        ...(run.unchanged > 0 ? [['converted before', formatCount(by_status.completed - run.converted)]] : []),
        ['failed', formatCount(by_status.failed)],
        ...(by_status.cancelled > 0 ? [['cancelled', formatCount(by_status.cancelled)]] : []),
        ...(by_status.pending > 0 ? [['left to do', formatCount(by_status.pending)]] : []),
        ['size', `${formatBytes(completed_source_bytes)} -> ${formatBytes(completed_output_bytes)}`],
        ['time', formatDuration(run.seconds)],
        ['results in', printable(run.folders.output)],
      ],
    ).trimEnd(),
  )
  const failed = await master.store.jobs({ status: 'failed', limit: maxListed })
  if (failed.jobs.length > 0) say('\nfailed:')
  for (const job of failed.jobs) {
    say(`  ${printable(relative(run.folders.source, job.source_path))}: ${printable(job.error_message ?? '')}`)
  }
  if (failed.next !== null) say(`  and ${formatCount(by_status.failed - failed.jobs.length)} more`)
  if (problems.length > 0) say('\nnot scanned:')
  for (const problem of problems) say(`  ${printable(problem)}`)
  if (run.interrupted) say('\nstopped before the end: the same command goes on where this one ended')
  return by_status.failed > 0 || (problems.length > 0 && !isNew) || run.interrupted ? 1 : 0
}
