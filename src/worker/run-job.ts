import { join } from 'node:path'
import { DarkstreamError } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Assignment, Progress } from '../contract/job.ts'
import type { SourceFacts } from '../contract/profile.ts'
import { pathText, type RanOn } from '../contract/gpu.ts'
import { type ConversionLimits, convert, type ConvertResult } from '../pipeline/convert.ts'
import type { GpuAccess } from '../pipeline/gpu-access.ts'
import { PostponedError } from '../pipeline/postponed-error.ts'
import { SkippedError } from '../pipeline/skipped-error.ts'
import type { Tools } from '../pipeline/tools.ts'
import { sumOf } from '../sums/file-sum.ts'
import { formatDuration } from '../util/format.ts'
import { deliver, type DeliveryContext } from './deliver.ts'
import type { OutboxEntry, Report } from './outbox.ts'
import { farewellMs, isPassing, persist } from './persist.ts'
import { reportProgress } from './report-progress.ts'
import type { Space } from './space.ts'
import { Stopped } from './stopped.ts'
import type { CacheRoom } from './transfer/cached-source.ts'
import type { JobFiles, JobPlace } from './transfer/job-files.ts'

/** What every job of a worker runs with. */
export interface RunContext extends DeliveryContext {
  worker_id: string
  space: Space
  /** Gets the files of jobs; without it they are where the master has them. */
  files?: JobFiles
  tools: Tools
  gpus: GpuAccess
  limits: ConversionLimits
  /** Milliseconds from when there is room for the result to when it is checked. */
  job_timeout_ms: number
  /** This worker's scratch folder. */
  work_base: string
  child_environment: Record<string, string | undefined>
  /** Called when the encode is over and only reading and handing in are left. */
  onEncoded: () => void
  /** Resolves when the encoder is the job's, whose source may come before; at once unless told. */
  turn?: Promise<void>
  /** What was set aside for the job's source before it was claimed. */
  room?: CacheRoom | undefined
  /** Called when the encoder is the job's and its source is here, with the way by which it came. */
  onStarted?: (way: JobPlace['way']) => void
}

/** What aborts a worker's running jobs so that each is given back. */
export const stopNow = new Stopped('stopped', 'the worker stops')

/**
 * Runs one claim to its end and tells the master how it ended, however long the master is away; the outbox keeps what it
 * has not heard. The signal, aborted with `stopNow`, gives the job back instead, unless its result is there already.
 */
export async function runJob(job: Assignment, context: RunContext, signal: AbortSignal): Promise<void> {
  const { api, outbox } = context
  const log = context.log.with({ job_id: job.id, attempt: job.attempt })
  const patience = { first_pause_ms: context.retry_pause_ms, what: 'give the job back' }
  const told = await endOf(job, context, signal).catch(end)
  if (told === undefined) return
  if (told.report.outcome === 'failed') context.files?.doubt()
  const entry = await outbox.keep(told)
  await deliver(entry, context, signal)

  /** Ends an attempt that has neither a result nor a failure to tell of. */
  async function end(error: unknown): Promise<undefined> {
    if (error instanceof PostponedError) {
      log.info(`given back: ${error.message}`)
      return persist(() => release(error.source_facts), { ...context, ...patience, signal }).then(
        () => undefined,
        unheard,
      )
    }
    if (!(error instanceof Stopped)) throw error
    const isGivenBack = error.kind === 'stopped'
    log.info(`${isGivenBack ? 'given back' : 'dropped'}: ${error.message}`)
    if (isGivenBack) await release(null, AbortSignal.timeout(farewellMs)).catch(unheard)
  }

  function release(source_facts: SourceFacts | null, limit?: AbortSignal) {
    return api.release({ ...claimOf(job, context), source_facts }, limit)
  }

  function unheard(refusal: unknown): undefined {
    log.debug(`cannot give the job back: ${String(refusal)}`)
  }
}

function claimOf(job: Assignment, { worker_id }: RunContext) {
  return { job_id: job.id, worker_id, attempt: job.attempt }
}

/** Converts; what the master is to be told of how that ended. Throws when it was ended from outside. */
async function endOf(job: Assignment, context: RunContext, signal: AbortSignal): Promise<Omit<OutboxEntry, 'master'>> {
  const log = context.log.with({ job_id: job.id, attempt: job.attempt })
  const claim = claimOf(job, context)
  let place = asAtMaster(job)
  try {
    place = await placeOf(job, { ...context, log }, signal)
    const { source_duration, ...result } = await convertWatched(job, place, { ...context, log }, signal)
    warnOfFallback(result.ran_on)
    const input = { ...claim, ...result, source_duration: source_duration ?? undefined }
    // On the master's own host nothing lies between what was checked and what it publishes.
    if (place.way === undefined) return told({ outcome: 'completed', input })
    const sha256 = await sumOf(place.staging_path, 0, result.output_size)
    return { ...told({ outcome: 'completed', input: { ...input, sha256 } }), is_upload: place.way === 'http' }
  } catch (error) {
    if (error instanceof SkippedError) return told(skipOf(error))
    const { message, report, ran_on } = failureOf(error, signal)
    log.info(`failed: ${message}`, { step: report.step, class: report.class })
    return told({ outcome: 'failed', input: { ...claim, error_message: message, report, ran_on } })
  } finally {
    place.release()
    context.room?.release()
  }

  function told(report: Report) {
    return { staging_path: place.staging_path, is_upload: false, report }
  }

  function warnOfFallback(ran_on: RanOn): void {
    if (!ran_on.fell_back) return
    const reasons = ran_on.reasons.join('; ')
    log.warn('a GPU failed at it, another path took over', { ran_on: pathText(ran_on), reasons })
  }

  function skipOf({ message: reason, record, ran_on }: SkippedError): Report {
    log.info(`skipped: ${reason}`)
    if (ran_on) warnOfFallback(ran_on)
    const known = record ?? { source_facts: null, profile: null, settings: null }
    return { outcome: 'skipped', input: { ...claim, ...known, reason, notes: [], ran_on } }
  }
}

/**
 * What an attempt failed by. What nobody expected, such as a result that somebody removes in mid-check, is a failure too: else
 * the job would wait until its lease is over. Throws what ends the attempt from outside.
 */
function failureOf(error: unknown, signal: AbortSignal): ConversionError {
  if (error instanceof ConversionError) return error
  if (signal.aborted || error instanceof Stopped || error instanceof PostponedError) throw error
  const { code, message } = error as NodeJS.ErrnoException
  const what = code === 'ENOENT' ? 'a file of the conversion was taken away' : 'unexpected'
  return new ConversionError(`${what}: ${message}`, { class: 'retryable', step: 'encode' })
}

/** Where the job's files are to be on this host, however long the master is away that has to say so. */
async function placeOf(job: Assignment, context: RunContext, signal: AbortSignal): Promise<JobPlace> {
  const { files } = context
  if (files === undefined) return asAtMaster(job)
  const patience = { first_pause_ms: context.retry_pause_ms, what: 'ask for the files of a job' }
  const options = { ...context, ...patience, signal, mayPass: isAway }
  return persist(() => files.choose(job, context.room), options).catch((error: unknown) => {
    if (!(error instanceof DarkstreamError)) throw error
    throw new Stopped(isPassing(error) ? 'stopped' : 'lost', error.message)
  })
}

/** A master that answers that its storage is not mounted hands the job out again when it is. */
function isAway(error: unknown): boolean {
  return isPassing(error) && error.code !== 'unavailable'
}

function asAtMaster({ source_path, staging_path }: Assignment): JobPlace {
  return { way: undefined, staging_path, source: async () => source_path, release: () => {} }
}

/** Waits for the encoder, or for the signal, whose reason is thrown. */
async function untilTurn(turn: Promise<void> | undefined, signal: AbortSignal): Promise<void> {
  if (turn !== undefined) {
    await new Promise<void>((resume) => {
      signal.addEventListener('abort', () => resume(), { once: true })
      void turn.then(resume)
    })
  }
  signal.throwIfAborted()
}

/** Converts, once there is room for the result, while telling the master how far it is, within the job's time. */
async function convertWatched(
  job: Assignment,
  { way, staging_path, source }: JobPlace,
  context: RunContext,
  signal: AbortSignal,
): Promise<ConvertResult> {
  const sized = { ...job, staging_path }
  const ended = new AbortController()
  const stopped = AbortSignal.any([signal, ended.signal])
  let timeout: AbortSignal | undefined
  let progress: Progress = { step: 'stage', percent: null, fps: null, speed: null, eta_seconds: null, runs_on: null }
  const running = { claim: claimOf(job, context), progress: () => progress, whyEnd: () => context.space.whyEnd(sized) }
  const reports = reportProgress(running, context, ended)
  try {
    const obstacle = await context.space.reserve(sized, stopped)
    if (obstacle !== undefined) throw new Stopped('stopped', obstacle)
    const read_path = await source(stopped, (percent) => (progress = { ...progress, percent }))
    await untilTurn(context.turn, stopped)
    context.onStarted?.(way)
    context.log.info('converting', { source_path: job.source_path, files: way })
    timeout = AbortSignal.timeout(context.job_timeout_ms)
    const result = await convert({
      source_path: job.source_path,
      read_path,
      staging_path,
      work_path: join(context.work_base, `${job.id.replaceAll(/[^\w-]/g, '_').slice(0, 64)}.${job.attempt}`),
      settings: job.settings,
      profiles: job.profiles,
      // Who looks at it again has been given it by the turn that its profile has.
      priority: job.source_facts === null ? job.priority : null,
      tools: context.tools,
      gpus: context.gpus,
      limits: context.limits,
      child_environment: context.child_environment,
      on_progress(news) {
        progress = news
        if (news.step !== 'verify') return
        context.space.free(sized)
        context.onEncoded()
      },
      signal: AbortSignal.any([stopped, timeout]),
    })
    return way === undefined ? result : { ...result, ran_on: { ...result.ran_on, files: way } }
  } catch (error) {
    if (error instanceof DarkstreamError) throw new Stopped('lost', error.message)
    if (stopped.aborted || !timeout?.aborted) throw error
    const limit = formatDuration(context.job_timeout_ms / 1000)
    throw new ConversionError(`not finished within worker.job_timeout (${limit})`, {
      class: 'retryable',
      step: progress.step,
    })
  } finally {
    context.space.free(sized)
    ended.abort()
    await reports
  }
}
