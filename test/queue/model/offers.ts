import { expect } from 'bun:test'
import * as fc from 'fast-check'
import type { FailureReport } from '../../../src/contract/failure.ts'
import type { RanOn } from '../../../src/contract/gpu.ts'
import type { ClaimKey } from '../../../src/queue/store.ts'
import { failure, failureReport, idOf, keyOf, lease_ms } from '../cases/world.ts'
import * as claims from './claims.ts'
import type { Subject } from './compare.ts'
import type { Model } from './model.ts'
import * as refusals from './refusals.ts'
import { aName, anAsker, aPath, aPause, expectAnswer, idsOf, pause_ms, type Step, step, workers } from './steps.ts'

/** How a claim fails here. */
interface AFailure {
  /** Until its retry; null for no retry. */
  pause: number | null
  ran_on: RanOn | null
  error_class: FailureReport['class']
}

export const aFailure: fc.Arbitrary<AFailure> = fc.record({
  pause: fc.option(aPause),
  ran_on: aPath,
  error_class: fc.constantFrom('retryable', 'permanent', 'worker', 'worker'),
})

/** What becomes of jobs that a worker refused: who else is there, and the end of waiting. */
export const offering: readonly fc.Arbitrary<Step>[] = [
  step('a worker is heard from', fc.constantFrom(...workers), async (model, subject, worker_id) => {
    await hear(model, subject, worker_id)
  }),
  // Rare by chance, so said as one: a worker refuses what it gets while such others are there.
  step('a worker refuses', fc.tuple(anAsker, fc.subarray([...workers]), aPause), async (model, subject, args) => {
    const [asker, others, pause] = args
    for (const worker_id of others) await hear(model, subject, worker_id)
    const job = await subject.world.store.claim({ ...asker, lease_ms })
    await expectAnswer(subject, job, claims.claim(model, asker))
    if (job) await failClaim(model, subject, keyOf(job), { pause, ran_on: null, error_class: 'worker' })
  }),
  step('what is stranded is ended', fc.option(aPause), async (model, subject, pause) => {
    const [heard_since_ms, settled_before_ms] = [model.now_ms - lease_ms, model.now_ms - pause_ms]
    const since = { heard_since_ms, settled_before_ms, overdue_before_ms: heard_since_ms }
    const ids = await subject.world.store.stranded(since)
    expect(ids.toSorted()).toEqual(idsOf(refusals.stranded(model, since)))
    for (const id of ids) await strand(model, subject, id, pause)
  }),
  step('strand', fc.tuple(aName, fc.option(aPause)), async (model, subject, [name, pause]) => {
    await strand(model, subject, idOf(name), pause)
  }),
]

async function strand(model: Model, subject: Subject, id: string, pause: number | null): Promise<void> {
  const retry_at_ms = pause === null ? null : model.now_ms + pause
  const job = await subject.world.store.strand(id, { error_message: 'nobody took it', retry_at_ms })
  await expectAnswer(subject, job, refusals.strand(model, id, retry_at_ms))
}

async function hear(model: Model, { world }: Subject, worker_id: string): Promise<void> {
  const load = { cpu_usage: 0, memory_usage: 0, gpu_usage: null, active_jobs: 0 }
  const told = { hostname: '', vulkan_available: false, status: 'healthy', gpu: '', gpu_report: null } as const
  await world.store.heartbeat({ worker_id, ...told, ...load })
  model.heard.set(worker_id, model.now_ms)
}

/** Fails a claim in both; the workers count as there that were heard from within a lease. */
export async function failClaim(model: Model, subject: Subject, key: ClaimKey, failed: AFailure): Promise<void> {
  const { pause, ran_on, error_class } = failed
  const heard_since_ms = model.now_ms - lease_ms
  const retry_at_ms = pause === null ? null : model.now_ms + pause
  const told = { ...failure('broken', retry_at_ms), report: { ...failureReport, class: error_class }, ran_on }
  const job = await subject.world.store.fail(key, { ...told, heard_since_ms })
  await expectAnswer(subject, job, claims.fail(model, key, { error_class, retry_at_ms, ran_on, heard_since_ms }))
}
