import type { Api } from '../contract/api.ts'
import { DarkstreamError, type ErrorCode } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import { pathText } from '../contract/gpu.ts'
import { removeStaging } from '../pipeline/staging.ts'
import type { Log } from '../util/log.ts'
import type { Outbox, OutboxEntry, Report } from './outbox.ts'
import { farewellMs, persist } from './persist.ts'
import type { JobFiles } from './transfer/job-files.ts'

export interface DeliveryContext {
  api: Api
  outbox: Outbox
  /** Uploads results; without it there are none to upload. */
  files?: JobFiles
  /** Milliseconds before the master is asked again when it could not be reached. */
  retry_pause_ms: number
  /** Aborted when the worker is to end after its running jobs. */
  draining: AbortSignal
  /** Milliseconds for which it then still tries to hand in what it has to a master that is away. */
  drain_patience_ms: number
  log: Log
}

/** What is said of an entry by how its attempt ended: what is being tried, and what waits meanwhile. */
const words = {
  completed: { trying: 'hand in the result', waiting: 'the result' },
  skipped: { trying: 'report that it is skipped', waiting: 'the report that it is skipped' },
  failed: { trying: 'report the failure', waiting: 'the report of the failure' },
} as const

/** What asking again would not change; everything else may pass. */
const refusals = new Set<ErrorCode>(['conflict', 'not_found', 'invalid_request', 'request_too_large'])

/**
 * Tells the master of an entry of the outbox until it has heard it, and takes it out. What it refuses is cleaned up with
 * the staged result. When the signal aborts it is told once more, and stays in the outbox if that is not heard either.
 */
export async function deliver(entry: OutboxEntry, context: DeliveryContext, signal: AbortSignal): Promise<void> {
  const { outbox } = context
  const { job_id, attempt } = entry.report.input
  const log = context.log.with({ job_id, attempt })
  try {
    const done = await tellTillHeard(entry, { ...context, log }, signal)
    if (entry.is_upload) await removeStaging(entry.staging_path)
    await outbox.remove(entry)
    if (entry.report.outcome === 'completed') log.info(`handed in: ${done.message ?? done.status}`, factsOf(entry))
  } catch (error) {
    if (!isRefusal(error)) return log.warn(`${waits(entry)}: ${(error as Error).message}`)
    await removeStaging(entry.staging_path)
    const failure = failureInstead(entry, error)
    if (failure) return deliver(await outbox.keep(failure), context, signal)
    await outbox.remove(entry)
    log.info(`dropped: ${error.message}`)
  }
}

async function tellTillHeard(entry: OutboxEntry, context: DeliveryContext, signal: AbortSignal) {
  const { report } = entry
  const tell = async (limit: AbortSignal | undefined, uploadLimit: AbortSignal) => {
    await upload(entry, context, uploadLimit)
    return tellOnce(report, context.api, limit)
  }
  try {
    return await persist(() => tell(undefined, signal), {
      ...context,
      first_pause_ms: context.retry_pause_ms,
      what: words[report.outcome].trying,
      signal,
      mayPass: (error) => !isRefusal(error),
    })
  } catch (error) {
    if (isRefusal(error) || !signal.aborted) throw error
    const farewell = AbortSignal.timeout(farewellMs)
    return tell(farewell, farewell)
  }
}

/** A result that the master has published already is nobody's to upload any more; of that it tells itself. */
async function upload(
  { is_upload, staging_path, report }: OutboxEntry,
  { files }: DeliveryContext,
  signal: AbortSignal,
): Promise<void> {
  if (!is_upload || report.outcome !== 'completed' || files === undefined) return
  const { job_id, worker_id, attempt, output_size } = report.input
  await files.upload({ job_id, worker_id, attempt }, staging_path, output_size, signal).catch((error: unknown) => {
    if (!(error instanceof DarkstreamError && error.code === 'conflict')) throw error
  })
}

async function tellOnce(report: Report, api: Api, signal?: AbortSignal) {
  switch (report.outcome) {
    case 'completed':
      return api.complete(report.input, signal)
    case 'skipped':
      return api.skip(report.input, signal)
    case 'failed':
      return api.fail(report.input, signal)
  }
}

function isRefusal(error: unknown): error is DarkstreamError {
  return error instanceof DarkstreamError && refusals.has(error.code)
}

/** What the master does not understand is a failure to be told, without what it may have taken exception to. */
function failureInstead(entry: OutboxEntry, refusal: DarkstreamError): Omit<OutboxEntry, 'master'> | undefined {
  const error = errorInstead(entry.report, refusal)
  if (error === undefined) return undefined
  const { job_id, worker_id, attempt } = entry.report.input
  const input = { job_id, worker_id, attempt, ran_on: null, error_message: error.message, report: error.report }
  return { staging_path: entry.staging_path, is_upload: false, report: { outcome: 'failed', input } }
}

/** A master of before skips has nothing at their address; to it the file is one that is never to be converted. */
function errorInstead(report: Report, refusal: DarkstreamError): ConversionError | undefined {
  if (report.outcome === 'skipped' && refusal.code === 'not_found') {
    return new ConversionError(`skipped: ${report.input.reason}`, { class: 'permanent', step: 'plan' })
  }
  if (refusal.code !== 'invalid_request' || report.outcome === 'failed') return undefined
  const message = `the master refused ${words[report.outcome].waiting}: ${refusal.message}`
  return new ConversionError(message, { class: 'worker', step: 'publish' })
}

function waits({ report }: OutboxEntry): string {
  return `${words[report.outcome].waiting} waits in the outbox and will be delivered at the next start`
}

function factsOf({ report }: OutboxEntry) {
  if (report.outcome !== 'completed') return {}
  const { output_size, ran_on } = report.input
  return { output_size, ran_on: ran_on && pathText(ran_on), reasons: ran_on?.reasons.join('; ') }
}
