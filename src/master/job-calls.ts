import { setImmediate } from 'node:timers/promises'
import type { Handlers } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { Job } from '../contract/job.ts'
import type { Reply } from '../contract/routes.ts'
import { discardAttempt } from './discard-attempt.ts'
import type { JobEvent } from './events.ts'
import type { Parts } from './parts.ts'
import { undoing } from './replace/undo.ts'

type JobCalls = 'retry' | 'retryJob' | 'requeueJob' | 'undoJob' | 'cancelJob' | 'prioritizeJob'

/** Jobs retried in one transaction. */
const retryStep = 200

/** What people do to jobs, one of them or all that failed. */
export function jobCalls(parts: Parts): Pick<Handlers, JobCalls> {
  const { store, dispatcher } = parts
  const undo = undoing(parts)
  return {
    async retry({ limit }) {
      const retried = await retryFailed(parts, limit)
      if (retried > 0) dispatcher.wake()
      return { retried, message: `${retried} failed ${retried === 1 ? 'job is' : 'jobs are'} pending again` }
    },

    async retryJob({ job_id }) {
      return acted(parts, { type: 'queued', verb: 'retried', job_id }, await store.retry(job_id))
    },

    async requeueJob({ job_id }) {
      const job = await store.requeue(job_id)
      const standing = job ? undefined : await whyNotRequeued(parts, job_id)
      if (standing !== undefined) throw new DarkstreamError('conflict', standing)
      return acted(parts, { type: 'queued', verb: 'requeued', job_id }, job)
    },

    async undoJob({ job_id }) {
      return undo(job_id)
    },

    async cancelJob({ job_id }) {
      return acted(parts, { type: 'cancelled', verb: 'cancelled', job_id }, await store.cancel(job_id))
    },

    async prioritizeJob({ job_id, priority }) {
      const job = await store.prioritize(job_id, priority)
      if (!job) throw noSuchJob(job_id)
      return { status: job.status, message: `priority of job ${job_id} is ${priority}` }
    },
  }
}

/** A result that stands in its source's place is not converted again unawares: that loses quality twice. */
async function whyNotRequeued({ store }: Parts, job_id: string): Promise<string | undefined> {
  const [job, known] = [await store.job(job_id), await store.replacement(job_id)]
  if (job?.status !== 'completed' || !known || known.attempt !== job.attempt) return undefined
  const stands = `job ${job_id} cannot be requeued: its result stands in its source's place`
  if (known.state !== 'gone') return `${stands}; darkstream undo ${job_id} puts the original back first`
  return `${stands} and the original is gone; touch ${known.result_path} to have the result itself converted as a new source`
}

/** In steps that each hold up the API for a few milliseconds only. */
async function retryFailed({ store }: Parts, limit: number): Promise<number> {
  let retried = 0
  while (retried < limit) {
    const step = await store.retryFailed(Math.min(limit - retried, retryStep))
    retried += step
    if (step < retryStep) break
    await setImmediate()
  }
  return retried
}

/** Tells what an act on one job did, or why it was refused. */
async function acted(
  parts: Parts,
  { type, verb, job_id }: { type: JobEvent['type']; verb: string; job_id: string },
  job: Job | undefined,
): Promise<Reply<'retryJob'>> {
  if (!job) {
    const current = await parts.store.job(job_id)
    if (!current) throw noSuchJob(job_id)
    throw new DarkstreamError('conflict', `job ${job_id} is ${current.status} and cannot be ${verb}`)
  }
  await discardAttempt(parts, job)
  parts.onEvent({ type, job, detail: `${verb} by request` })
  parts.dispatcher.wake()
  return { status: job.status, message: `job ${job_id} is ${job.status}` }
}

/** The refusal of an id that no job has. */
export function noSuchJob(job_id: string): DarkstreamError {
  return new DarkstreamError('not_found', `there is no job ${job_id}`)
}
