import { existsSync, readdirSync } from 'node:fs'
import { relative } from 'node:path'
import type { Job } from '../contract/job.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import type { Master } from './build-master.ts'
import type { StartDisplay } from './start-display.ts'
import { table } from './table.ts'

/** Failures listed at most; `darkstream jobs --status failed` has all. */
const maxListed = 50

export interface FinishedRun {
  display: StartDisplay
  folders: { source: string; output: string }
  /** Jobs completed in this run, and before it. */
  converted: number
  before: number
  seconds: number
  /** Whether it was to end by itself, and whether a signal ended it. */
  once: boolean
  interrupted: boolean
}

/** Prints what a run came to, and gives its exit code: 1 when any job has failed or the run was cut short. */
export async function printSummary(master: Master, run: FinishedRun): Promise<number> {
  const totals = await master.store.totals()
  const { by_status } = totals
  const total = Object.values(by_status).reduce((sum, count) => sum + count, 0)
  const left = by_status.pending + by_status.processing + totals.awaiting_retry
  // A folder that never held anything is no trouble; one that did may be a storage that is not mounted.
  const isNew = total === 0 && readdirSync(run.folders.source).length === 0
  const problems = isNew ? [] : master.scanner.report().problems
  const failed = await failuresOf(master)
  const isCut = run.interrupted && (run.once || left > 0)
  const { say } = run.display
  say('')
  say(
    table(
      ['result', 'files'],
      [
        ['converted', formatCount(run.converted)],
        ...(run.before > 0 ? [['converted before', formatCount(by_status.completed - run.converted)]] : []),
        ['failed', formatCount(failed.length)],
        ...(by_status.skipped > 0 ? [['skipped', formatCount(by_status.skipped)]] : []),
        ...(by_status.cancelled > 0 ? [['cancelled', formatCount(by_status.cancelled)]] : []),
        ...(left > 0 ? [['left to do', formatCount(left)]] : []),
        ['size', `${formatBytes(totals.completed_source_bytes)} -> ${formatBytes(totals.completed_output_bytes)}`],
        ['time', formatDuration(run.seconds)],
        ['results in', printable(run.folders.output)],
      ],
    ).trimEnd(),
  )
  const lines = failed.map((job) => `${relative(run.folders.source, job.source_path)}: ${job.error_message}`)
  sayList(say, 'failed:', lines)
  sayList(say, 'not scanned:', problems)
  if (isNew) say(`\n${printable(run.folders.source)} is empty`)
  if (isCut) say('\nstopped before the end: the same command goes on where this one ended')
  return failed.length > 0 || problems.length > 0 || isCut ? 1 : 0
}

/** The failed jobs whose source is still there: a file that was taken away has no failure left to mend. */
async function failuresOf(master: Master): Promise<Job[]> {
  const failures: Job[] = []
  let after: string | undefined
  do {
    const page = await master.store.jobs({ status: 'failed', limit: 1000, after })
    failures.push(...page.jobs.filter((job) => job.retry_at_ms === null && mayBeThere(job.source_path)))
    after = page.next ?? undefined
  } while (after !== undefined)
  return failures
}

/** A name that is not valid UTF-8 cannot be looked for, and is one of the failures to mend. */
function mayBeThere(path: string): boolean {
  return path.includes('\uFFFD') || existsSync(path)
}

function sayList(say: (line: string) => void, title: string, lines: readonly string[]): void {
  if (lines.length === 0) return
  say(`\n${title}`)
  for (const line of lines.slice(0, maxListed)) say(`  ${printable(line)}`)
  if (lines.length > maxListed) say(`  and ${formatCount(lines.length - maxListed)} more`)
}
