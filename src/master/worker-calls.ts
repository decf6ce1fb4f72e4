import type { Handlers } from '../contract/api.ts'
import type { Assignment, Job } from '../contract/job.ts'
import { discardAttempt } from './discard-attempt.ts'
import { answerRepeated, failClaim } from './fail-claim.ts'
import { finishClaim } from './finish.ts'
import { isOwner, notOwner } from './ownership.ts'
import type { Parts } from './parts.ts'
import { postpone } from './postpone.ts'
import { refuseReplaced } from './presence-calls.ts'
import { stagingPath } from './publish.ts'
import { hasOwnPriority, profileOf, profilesFor, settingsOf } from './settings-of.ts'
import { skipClaim } from './skip-claim.ts'

type WorkerCalls = 'nextJob' | 'claim' | 'reportProgress' | 'complete' | 'fail' | 'skip' | 'release'

/** What workers ask of the master about jobs. Each call that changes a job is safe to send twice. */
export function workerCalls(parts: Parts): Pick<Handlers, WorkerCalls> {
  const { store, dispatcher, worker_timeout_ms } = parts
  const finish = finishClaim(parts)
  let isForeignTold = false
  return {
    async nextJob({ worker_id, wait }, signal) {
      if (parts.replace.enabled && !isForeignTold) {
        isForeignTold = true
        const why = 'it writes results itself, and replace.enabled lets only our own workers convert'
        parts.log.warn(`worker ${worker_id} is given no jobs: ${why}`, { worker_id })
      }
      parts.reach.asked(worker_id)
      const job = await dispatcher.next({ worker_id, request_id: null }, wait * 1000, signal)
      return job ? { ...assignment(job), passed_over_bytes: null } : null
    },

    async claim({ boot_id, wait, ...asker }, signal) {
      const { worker_id, max_source_bytes, cache_bytes } = asker
      await refuseReplaced(parts, worker_id, boot_id)
      parts.reach.asked(worker_id, cache_bytes)
      const job = await dispatcher.next(asker, wait * 1000, signal)
      return job ? { ...assignment(job), passed_over_bytes: await passedOver(job, max_source_bytes) } : null
    },

    async reportProgress({ job_id, worker_id, attempt, progress }) {
      const job = await store.job(job_id)
      if (!isOwner(job, { job_id, worker_id, attempt })) throw notOwner(job, job_id, worker_id)
      parts.progress.set(job_id, { attempt, progress })
      return { status: 'ok' }
    },

    async complete(input) {
      return finish(input)
    },

    async fail(input) {
      return failClaim(parts, input)
    },

    async skip(input) {
      return skipClaim(parts, input)
    },

    async release({ source_facts, ...claim }) {
      const postponed = source_facts && (await postpone(parts, claim, source_facts))
      const job = await store.release(claim)
      if (!job) return answerRepeated(parts, claim, 'released')
      await discardAttempt(parts, job)
      parts.onEvent({ type: 'released', job, detail: postponed ?? 'its worker gave it back' })
      dispatcher.wake()
      return { status: job.status }
    },
  }

  /** The size of the source whose turn it was before this job's, had it not been larger than the limit. */
  async function passedOver(job: Job, max_source_bytes: number | undefined): Promise<number | null> {
    if (max_source_bytes === undefined) return null
    const size = (await store.nextFor(job.worker_id ?? '', job.id))?.source_size ?? 0
    return size > max_source_bytes ? size : null
  }

  function assignment(job: Job): Omit<Assignment, 'passed_over_bytes'> {
    const settings = settingsOf(parts, job, profileOf(parts, job))
    // What a person asked for is not to be changed by what a worker finds.
    const isAsked = !hasOwnPriority(parts, job)
    const profiles = profilesFor(parts, job).map((one) => (isAsked ? { ...one, priority: null } : one))
    const staging_path = stagingPath(parts.output_base, job)
    return { ...job, settings, profiles, staging_path, lease_ms: worker_timeout_ms }
  }
}
