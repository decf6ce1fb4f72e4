import { relative } from 'node:path'
import { pathText } from '../contract/gpu.ts'
import type { JobView } from '../contract/job.ts'
import type { Reply } from '../contract/routes.ts'
import type { JobEvent } from '../master/events.ts'
import { formatBytes, formatCount, formatDuration, printable } from '../util/format.ts'
import { LiveArea } from './live-area.ts'

/** Where `start` tells what goes on. */
export interface StartDisplay {
  /** A line that stays. */
  say: (line: string) => void
  event: (event: JobEvent) => void
  /** Whether there is a terminal to draw on. */
  isLive: boolean
  /** The picture of the moment; nowhere but on a terminal. */
  draw: (stats: Reply<'stats'>, running: readonly JobView[]) => void
  /** Takes the picture away. */
  clear: () => void
}

/** A live picture on a terminal, a line for each result elsewhere. */
export function startDisplay(out: NodeJS.WriteStream, folders: { source: string; output: string }): StartDisplay {
  const area = out.isTTY ? new LiveArea(out) : undefined
  const say = (line: string) => (area ? area.print(line) : void out.write(`${line}\n`))
  return {
    isLive: area !== undefined,
    say,
    event(event) {
      const line = eventLine(event, folders)
      if (line !== undefined) say(line)
    },
    draw: (stats, running) => area?.draw(picture(stats, running, folders.source)),
    clear: () => area?.clear(),
  }
}

/** What is worth a line: how jobs end. */
function eventLine({ type, job, detail }: JobEvent, folders: { source: string; output: string }): string | undefined {
  const source = printable(relative(folders.source, job.source_path))
  switch (type) {
    case 'completed': {
      const output = printable(relative(folders.output, job.output_path))
      const sizes = `${formatBytes(job.source_size ?? 0)} -> ${formatBytes(job.output_size ?? 0)}`
      const device = job.ran_on?.device ? `, ${printable(pathText(job.ran_on))}` : ''
      return `converted  ${source} -> ${output}  (${sizes}, ${formatDuration(took(job))}${device})`
    }
    case 'failed': {
      const again = job.retry_at_ms === null ? '' : ' (will be tried again)'
      return `failed     ${source}: ${printable(job.error_message ?? 'no reason given')}${again}`
    }
    case 'skipped':
      return `skipped    ${source}: ${printable(job.skip_reason ?? 'no reason given')}`
    case 'lost':
    case 'cancelled':
      return `${type.padEnd(10)} ${source}${detail === undefined ? '' : `: ${detail}`}`
    case 'released':
      return `put back   ${source}${detail === undefined ? '' : `: ${detail}`}`
    case 'claimed':
    case 'queued':
      return undefined
  }
}

function took(job: JobEvent['job']): number {
  return (Date.parse(job.completed_at ?? '') - Date.parse(job.started_at ?? '')) / 1000
}

function picture(stats: Reply<'stats'>, running: readonly JobView[], source: string): string[] {
  const { jobs } = stats
  const ended = jobs.completed + jobs.failed - jobs.awaiting_retry + jobs.cancelled + jobs.skipped
  const isIdle = jobs.pending + jobs.processing + jobs.awaiting_retry === 0
  const settling = stats.scan.settling > 0 ? `, ${formatCount(stats.scan.settling)} still being written` : ''
  const time = stats.eta_seconds === null ? 'time left unknown' : `${formatDuration(stats.eta_seconds)} left`
  const left = isIdle && !stats.scan.running ? `waiting for new files${settling}; Ctrl-C ends` : `${time}${settling}`
  return [
    '',
    ...running.map(
      (job) => `  ${bar(job.progress?.percent ?? 0)}  ${printable(relative(source, job.source_path))}  ${details(job)}`,
    ),
    `${bar(jobs.total === 0 ? 0 : (100 * ended) / jobs.total)}  ${formatCount(ended)} of ${formatCount(jobs.total)} files, ${formatCount(jobs.failed)} failed, ${left}${stats.scan.running ? ', scanning' : ''}`,
  ]
}

function details({ progress }: JobView): string {
  if (progress === null || progress.step !== 'encode') return progress?.step ?? ''
  const parts = [
    progress.fps === null ? [] : [`${Math.round(progress.fps)} fps`],
    progress.speed === null ? [] : [`${progress.speed.toFixed(1)}x`],
    progress.eta_seconds === null ? [] : [`${formatDuration(progress.eta_seconds)} left`],
  ]
  return parts.flat().join(', ')
}

function bar(percent: number): string {
  const width = 20
  const full = Math.round((width * Math.min(100, percent)) / 100)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${String(Math.floor(percent)).padStart(3)}%`
}
