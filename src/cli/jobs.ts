import * as v from 'valibot'
import { pathText, type RanOn } from '../contract/gpu.ts'
import { type Attempt, type JobView, JobStatus } from '../contract/job.ts'
import type { SourceFacts } from '../contract/profile.ts'
import type { Replacement } from '../contract/replacement.ts'
import type { Reply } from '../contract/routes.ts'
import { timestamp } from '../util/clock.ts'
import { formatBytes, formatDuration, printable } from '../util/format.ts'
import { answer, masterOf, numberFlag } from './ask.ts'
import { shellQuoted } from './shell-quoted.ts'
import { table } from './table.ts'
import { type CommandArgs, UsageError } from './usage.ts'

/** Characters. */
const longestRemark = 100

export async function run(args: CommandArgs): Promise<number> {
  const master = masterOf(args)
  const job_id = args.text('job_id')
  if (job_id !== undefined) {
    const found = await master.job({ job_id })
    answer(args, found, () => jobText(found))
    return 0
  }
  const page = await master.jobs({
    status: statusFlag(args),
    worker_id: args.text('worker'),
    search: args.text('search'),
    limit: numberFlag(args, 'limit') ?? 50,
    after: args.text('after'),
  })
  answer(args, page, () => listText(page))
  return 0
}

function statusFlag(args: CommandArgs): JobStatus | undefined {
  const given = args.text('status')
  if (given === undefined) return undefined
  const status = v.safeParse(JobStatus, given)
  if (!status.success) throw new UsageError(`--status ${status.issues[0].message}`)
  return status.output
}

/** A page of jobs, a line each. */
export function listText({ jobs, next }: Reply<'jobs'>): string {
  if (jobs.length === 0) return 'no jobs\n'
  const rows = jobs.map((job) => [job.id, job.status, String(job.priority), remark(job), job.source_path])
  const more = next === null ? '' : `\nmore: --after ${next}\n`
  return `${table(['id', 'status', 'prio', 'remark', 'source'], rows)}${more}`
}

/** What is worth saying of a job in one cell. */
function remark(job: JobView): string {
  if (job.status === 'processing') return progressText(job)
  if (job.status === 'failed') return shortened(job.error_message ?? '')
  if (job.status === 'skipped') return shortened(job.skip_reason ?? '')
  if (job.status === 'completed') return job.output_size === null ? '' : formatBytes(job.output_size)
  return ''
}

/** Foreign workers send whole logs as a message; `jobs ID` shows all of it. */
function shortened(text: string): string {
  return text.length <= longestRemark ? text : `${text.slice(0, longestRemark - 1)}…`
}

function progressText({ progress, worker_id }: JobView): string {
  const percent = progress?.percent === null || progress === null ? '' : ` ${Math.floor(progress.percent)}%`
  return `${progress?.step ?? 'claimed'}${percent} on ${worker_id}`
}

/** A job and its attempts in full: what a person needs to know why it is where it is. */
export function jobText({ job, attempts, replacement }: Reply<'job'>): string {
  const { progress, notes, ran_on, source_facts, score, ...fields } = job
  const facts = Object.entries(fields)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [name, name === 'source_duration' ? formatDuration(Number(value)) : String(value)])
  return [
    table(['field', 'value'], facts),
    source_facts === null ? '' : `source: ${printable(factsText(source_facts))}\n`,
    score === null ? '' : `score: ${score.metric} ${score.value}\n`,
    progress === null ? '' : `progress: ${fullProgressText(job, progress)}\n`,
    ...notes.map((note) => `note: ${printable(note)}\n`),
    ...ranOnLines(ran_on).map((line) => `${line}\n`),
    replacement === null ? '' : `original: ${printable(originalText(replacement))}\n`,
    ...attempts.map((attempt) => `${attemptText(attempt)}\n`),
  ].join('')
}

/** `hevc 3840x2160 HDR, 15.3 Mb/s, 2 hours, matroska`; what is not known is left out. */
function factsText({ codec, width, height, is_hdr, bit_rate, duration_seconds, format }: SourceFacts): string {
  return [
    `${codec} ${width}x${height}${is_hdr ? ' HDR' : ''}`,
    ...(bit_rate === null ? [] : [rateText(bit_rate)]),
    ...(duration_seconds === null ? [] : [formatDuration(duration_seconds)]),
    format,
  ].join(', ')
}

function rateText(bitsPerSecond: number): string {
  const kilobits = bitsPerSecond / 1000
  return kilobits < 999.5 ? `${Math.round(kilobits)} kb/s` : `${(kilobits / 1000).toFixed(1)} Mb/s`
}

/** Where the original of a replaced source is. */
function originalText({ state, kept_path, kept_until_ms, original_path, result_path }: Replacement): string {
  switch (state) {
    case 'swapping':
      return `about to be replaced by the result (${kept_path})`
    case 'kept':
      return `kept at ${kept_path} ${kept_until_ms === null ? 'for ever' : `until ${timestamp(kept_until_ms)}`}; darkstream undo puts it back`
    case 'undoing':
      return `about to be put back at ${original_path} (from ${kept_path})`
    case 'undone':
      return `back at ${original_path}`
    case 'gone':
      return `gone; the result at ${result_path} has its place`
  }
}

function fullProgressText(job: JobView, { fps, speed, runs_on }: NonNullable<JobView['progress']>): string {
  const path = runs_on === null ? '' : `, by ${pathText(runs_on)}`
  return printable(`${progressText(job)}, ${fps ?? '?'} fps, speed ${speed ?? '?'}x${path}`)
}

/** What it ran on, and below it the reasons why on nothing better; no lines where that is not known. */
function ranOnLines(ran_on: RanOn | null): string[] {
  if (ran_on === null) return []
  const failed = ran_on.fell_back ? ', after a GPU failed' : ''
  const way = { mount: ', files on the shared storage', http: ', files by HTTP' }
  const files = ran_on.files === undefined ? '' : way[ran_on.files]
  return [`ran on: ${pathText(ran_on)}${failed}${files}`, ...ran_on.reasons.map((reason) => `  - ${reason}`)].map(
    printable,
  )
}

function attemptText(attempt: Attempt): string {
  return [
    `\nattempt ${attempt.attempt} on ${printable(attempt.worker_id ?? 'nobody')}: ${attempt.outcome}, ${attempt.started_at} to ${attempt.ended_at}`,
    ...(attempt.error_message === null ? [] : [`  ${printable(attempt.error_message)}`]),
    ...(attempt.step === null
      ? []
      : [`  step ${attempt.step}, ${attempt.error_class}, exit code ${attempt.exit_code ?? 'none'}`]),
    ...ranOnLines(attempt.ran_on).map((line) => `  ${line}`),
    ...(attempt.command.length === 0 ? [] : [`  command: ${printable(attempt.command.map(shellQuoted).join(' '))}`]),
    ...attempt.stderr_tail
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `  | ${printable(line)}`),
  ].join('\n')
}
