import { join } from 'node:path'
import type { Api } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Assignment, Progress } from '../contract/job.ts'
import { pathText } from '../contract/gpu.ts'
import { type ConversionLimits, convert, type ConvertResult } from '../pipeline/convert.ts'
import type { GpuAccess } from '../pipeline/gpu-access.ts'
import type { Tools } from '../pipeline/tools.ts'
import { jittered, sleep } from '../util/clock.ts'
import { formatDuration } from '../util/format.ts'
import type { Log } from '../util/log.ts'
import { farewellMs, isPassing, persist } from './persist.ts'

/** Milliseconds between two reports of progress: the master's answer to one is also how a cancelled job's worker learns of it. */
const reportIntervalMs = 1000

/** What every job of a worker runs with. */
export interface RunContext {
  api: Api
  worker_id: string
  tools: Tools
  gpus: GpuAccess
  limits: ConversionLimits
  /** Milliseconds from claim to checked result. */
  job_timeout_ms: number
  /** This worker's scratch folder. */
  work_base: string
  /** Milliseconds before the master is asked again when it could not be reached. */
  retry_pause_ms: number
  child_environment: Record<string, string | undefined>
  /** Aborted when the worker is to end after its running jobs. */
  draining: AbortSignal
  /** Milliseconds for which it then still tries to hand in what it has to a master that is away. */
  drain_patience_ms: number
  /** Called when the encode is over and only reading and handing in are left. */
  onEncoded: () => void
  log: Log
}

/** Why a conversion is stopped from outside. */
class Stopped extends Error {
  readonly kind: 'lost' | 'stopped'

  constructor(kind: 'lost' | 'stopped', message: string) {
    super(message)
    this.kind = kind
  }
}

/** What aborts a worker's running jobs so that each is given back. */
export const stopNow = new Stopped('stopped', 'the worker was told to stop now')

/**
 * Runs one claim to its end and tells the master how it ended, however long the master is away. The signal, aborted with
 * `stopNow`, gives the job back instead.
 */
export async function runJob(job: Assignment, context: RunContext, signal: AbortSignal): Promise<void> {
  const log = context.log.with({ job_id: job.id, attempt: job.attempt })
  log.info('converting', { source_path: job.source_path })
  const { api, worker_id } = context
  const claim = { job_id: job.id, worker_id, attempt: job.attempt }
  const tell = <T>(what: string, say: () => Promise<T>) =>
    persist(say, { ...context, first_pause_ms: context.retry_pause_ms, log, what, signal })
  try {
    const result = await convertWatched(job, context, signal)
    const { output_size, notes, source_duration, ran_on } = result
    const told = { ran_on: pathText(ran_on), reasons: ran_on.reasons.join('; ') }
    if (ran_on.fell_back) log.warn('a GPU failed at it, another path took over', told)
    const done = await tell('hand in the result', () =>
      api.complete({ ...claim, output_size, notes, source_duration: source_duration ?? undefined, ran_on }),
    )
    log.info(`handed in: ${done.message ?? done.status}`, { output_size, ...told })
  } catch (error) {
    const failure = failureOf(error)
    if (!failure) return end(error)
    log.info(`failed: ${failure.message}`, { step: failure.report.step, class: failure.report.class })
    const { message, report, ran_on } = failure
    await tell('report the failure', () => api.fail({ ...claim, error_message: message, report, ran_on })).catch(end)
  }

  /** Ends an attempt that has neither a result nor a failure to tell of, or whose word the master refused. */
  async function end(error: unknown): Promise<void> {
    if (error instanceof Stopped && error.kind === 'stopped') {
      log.info('given back: the worker stops')
      await api
        .release(claim, AbortSignal.timeout(farewellMs))
        .catch((refusal: unknown) => log.debug(`cannot give the job back: ${String(refusal)}`))
      return
    }
    if (error instanceof Stopped || error instanceof DarkstreamError) {
      log.info(`dropped: ${error.message}`)
      return
    }
    throw error
  }
}

/** The failure that an attempt ended with; a result that the master does not understand is one too. Else undefined. */
function failureOf(error: unknown): ConversionError | undefined {
  if (error instanceof ConversionError) return error
  if (!(error instanceof DarkstreamError) || error.code !== 'invalid_request') return undefined
  return new ConversionError(`the master refused the result: ${error.message}`, { class: 'worker', step: 'publish' })
}

/** Converts while telling the master how far it is, within the job's time. */
async function convertWatched(job: Assignment, context: RunContext, signal: AbortSignal): Promise<ConvertResult> {
  const ended = new AbortController()
  const timeout = AbortSignal.timeout(context.job_timeout_ms)
  let progress: Progress = { step: 'stage', percent: null, fps: null, speed: null, eta_seconds: null, runs_on: null }
  const reports = reportUntilEnd()
  try {
    return await convert({
      source_path: job.source_path,
      staging_path: job.staging_path,
      work_path: join(context.work_base, `${job.id.replaceAll(/[^\w-]/g, '_').slice(0, 64)}.${job.attempt}`),
      settings: job.settings,
      tools: context.tools,
      gpus: context.gpus,
      limits: context.limits,
      child_environment: context.child_environment,
      on_progress(news) {
        progress = news
        if (news.step === 'verify') context.onEncoded()
      },
      signal: AbortSignal.any([signal, ended.signal, timeout]),
    })
  } catch (error) {
    if (signal.aborted || ended.signal.aborted || !timeout.aborted) throw error
    const limit = formatDuration(context.job_timeout_ms / 1000)
    throw new ConversionError(`not finished within worker.job_timeout (${limit})`, {
      class: 'retryable',
      step: progress.step,
    })
  } finally {
    ended.abort()
    await reports
  }

  async function reportUntilEnd(): Promise<void> {
    for (;;) {
      await sleep(reportIntervalMs, ended.signal)
      if (ended.signal.aborted) return
      try {
        await context.api.reportProgress(
          { job_id: job.id, worker_id: context.worker_id, attempt: job.attempt, progress },
          ended.signal,
        )
      } catch (error) {
        if (ended.signal.aborted) return
        if (isPassing(error)) await sleep(jittered(context.retry_pause_ms), ended.signal)
        else return ended.abort(new Stopped('lost', (error as Error).message))
      }
    }
  }
}
