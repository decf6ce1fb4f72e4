import { expect } from 'bun:test'
import * as fc from 'fast-check'
import { failure, idOf, keep_history_ms, lease_ms, result, skipped, source } from '../cases/world.ts'
import * as acts from './acts.ts'
import * as claims from './claims.ts'
import type { ClaimKey } from '../../../src/queue/store.ts'
import type { Subject } from './compare.ts'
import { find, type Model } from './model.ts'
import { aFailure, failClaim, offering } from './offers.ts'
import {
  aClaim,
  aName,
  anAsker,
  aPath,
  aPause,
  expectAnswer,
  idsOf,
  keyOf,
  pause_ms,
  type Step,
  step,
  workers,
} from './steps.ts'

const aSize = fc.constantFrom(100, 400)
/** What a worker tells with a good end. */
const aTold = fc.record({ ran_on: aPath, profile: fc.constantFrom(null, 'films') })
const someFacts = {
  codec: 'h264',
  width: 1920,
  height: 1080,
  is_hdr: false,
  bit_rate: 5_000_000,
  duration_seconds: 60,
  format: 'mov',
}
const aSource = fc.record({
  name: aName,
  source_size: fc.constantFrom(1000, 2000),
  problem: fc.oneof({ weight: 5, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constant('no video') }),
  rule: fc.constantFrom(
    null,
    null,
    null,
    { profile: 'films', priority: 7, skip_reason: null },
    { profile: 'phones', priority: null, skip_reason: 'a rule says so' },
  ),
})

const scanning: readonly fc.Arbitrary<Step>[] = [
  step('addSources', fc.array(aSource, { minLength: 1, maxLength: 3 }), async (model, { world }, found) => {
    const sources = found.map(({ name, ...changes }) => source(name, changes))
    expect(await world.store.addSources(sources)).toEqual(acts.addSources(model, sources))
  }),
  step('updateSource', fc.tuple(aName, aSize), async (model, { world }, [name, source_size]) => {
    await world.store.updateSource(idOf(name), { source_size, source_mtime_ms: 1 })
    acts.updateSource(model, idOf(name), { source_size, source_mtime_ms: 1 })
  }),
  step('forgetSource', aName, async (model, { world }, name) => {
    await world.store.forgetSource(idOf(name))
    acts.forgetSource(model, idOf(name))
  }),
]

const claiming: readonly fc.Arbitrary<Step>[] = [
  step('claim', anAsker, async (model, subject, asker) => {
    const job = await subject.world.store.claim({ ...asker, lease_ms })
    await expectAnswer(subject, job, claims.claim(model, asker))
  }),
  step('renew', aClaim, async (model, { world }, claim) => {
    const key = keyOf(model, claim)
    expect(await world.store.renew(key, lease_ms)).toBe(claims.renew(model, key) !== undefined)
  }),
  step('renewWorker', fc.constantFrom(...workers), async (model, { world }, worker_id) => {
    await world.store.renewWorker(worker_id, lease_ms)
    claims.renewAll(model, worker_id)
  }),
  step('yieldOutput', aClaim, async (model, { world }, claim) => {
    const key = keyOf(model, claim)
    expect(await world.store.yieldOutput(key)).toBe(claims.yieldOutput(model, key) !== undefined)
  }),
]

const publishing: readonly fc.Arbitrary<Step>[] = [
  step('beginPublish', fc.tuple(aClaim, aSize, aTold), async (model, subject, [claim, output_size, told]) => {
    const key = keyOf(model, claim)
    const done = { ...result, output_size, ...told }
    const job = await subject.world.store.beginPublish(key, done)
    await expectAnswer(subject, job, claims.beginPublish(model, key, done))
  }),
  step('abandonPublish', aClaim, async (model, subject, claim) => {
    const key = keyOf(model, claim)
    await expectAnswer(subject, await subject.world.store.abandonPublish(key), claims.abandonPublish(model, key))
  }),
  step('complete', fc.tuple(aClaim, aSize, aTold), async (model, subject, [claim, output_size, told]) => {
    const key = keyOf(model, claim)
    const published = claim.as === 'without number' ? null : result.published
    const done = { ...result, output_size, ...told, published }
    await expectAnswer(subject, await subject.world.store.complete(key, done), claims.complete(model, key, done))
  }),
]

const ending: readonly fc.Arbitrary<Step>[] = [
  step('skip', fc.tuple(aClaim, aTold), async (model, subject, [claim, told]) => {
    const key = keyOf(model, claim)
    const skip = { ...skipped, ...told }
    await expectAnswer(subject, await subject.world.store.skip(key, skip), claims.skip(model, key, skip))
  }),
  step('fail', fc.tuple(aClaim, aFailure), async (model, subject, [claim, failed]) => {
    await failClaim(model, subject, keyOf(model, claim), failed)
  }),
  step('learn', fc.tuple(aClaim, fc.constantFrom(null, 2)), async (model, subject, [claim, priority]) => {
    const key = keyOf(model, claim)
    const job = await subject.world.store.learn(key, { source_facts: someFacts, priority })
    await expectAnswer(subject, job, claims.learn(model, key, priority))
  }),
  step('release', fc.tuple(aClaim, aPause), async (model, subject, [claim, pause]) => {
    const key = keyOf(model, claim)
    const job = await subject.world.store.release(key, model.now_ms + pause)
    await expectAnswer(subject, job, claims.release(model, key, model.now_ms + pause))
  }),
  step('putBack', fc.tuple(aClaim, aPause), async (model, subject, [claim, pause]) => {
    const key = keyOf(model, claim)
    const job = await subject.world.store.putBack(key, model.now_ms + pause)
    await expectAnswer(subject, job, claims.release(model, key, model.now_ms + pause, false))
  }),
  step('a worker starts anew', fc.constantFrom(...workers), async (model, { world }, worker_id) => {
    const released = await world.store.releaseWorker(worker_id)
    expect(idsOf(released)).toEqual(idsOf(claims.releaseWorker(model, worker_id)))
  }),
]

const waiting: readonly fc.Arbitrary<Step>[] = [
  step('time passes', fc.constantFrom(1, pause_ms, lease_ms - 1, lease_ms), async (model, subject, ms) => {
    pass(model, subject, ms)
  }),
  step('reap', fc.constant(null), async (model, subject) => reap(model, subject)),
  // A day passes rarely, so said as one.
  step('the history is tidied', fc.boolean(), async (model, subject, isLater) => {
    if (isLater) pass(model, subject, keep_history_ms)
    expect(await subject.world.store.tidy()).toBeUndefined()
    acts.tidy(model)
  }),
  step('retryDue', fc.constant(null), async (model, { world }) => {
    expect(await world.store.retryDue()).toBe(acts.retryDue(model))
  }),
  // Rare by chance, so said as one: claims in a row whose workers are never heard from again.
  step('workers are lost', fc.tuple(anAsker, fc.constantFrom(1, 3, 4)), async (model, subject, [asker, times]) => {
    for (let count = 0; count < times; count++) {
      const job = await subject.world.store.claim({ ...asker, lease_ms })
      await expectAnswer(subject, job, claims.claim(model, asker))
      pass(model, subject, lease_ms)
      await reap(model, subject)
    }
  }),
  step('the master starts anew', fc.boolean(), async (model, subject, areThere) => restart(model, subject, areThere)),
]

const asking: readonly fc.Arbitrary<Step>[] = [
  step('retry', aName, async (model, subject, name) => {
    await expectAnswer(subject, await subject.world.store.retry(idOf(name)), acts.retry(model, idOf(name)))
  }),
  step('retryFailed', fc.constantFrom(1, 10), async (model, { world }, limit) => {
    expect(await world.store.retryFailed(limit)).toBe(acts.retryFailed(model, limit))
  }),
  step('requeue', aName, async (model, subject, name) => {
    await expectAnswer(subject, await subject.world.store.requeue(idOf(name)), acts.requeue(model, idOf(name)))
  }),
  step('requeueEnded', fc.uniqueArray(aName), async (model, { world }, names) => {
    const wanted = names.map((name, at) => ({ job_id: idOf(name), priority: at === 0 ? 3 : null }))
    expect(await world.store.requeueEnded(wanted)).toBe(acts.requeueEnded(model, wanted))
  }),
  step('cancel', aName, async (model, subject, name) => {
    await expectAnswer(subject, await subject.world.store.cancel(idOf(name)), acts.cancel(model, idOf(name)))
  }),
  step('prioritize', fc.tuple(aName, fc.constantFrom(0, 5, 10)), async (model, subject, [name, priority]) => {
    const job = await subject.world.store.prioritize(idOf(name), priority)
    await expectAnswer(subject, job, acts.prioritize(model, idOf(name), priority))
  }),
]

/** Sequences of at most so many acts; those that move a queue on come oftener than the rest. */
export function sequences(maxCommands: number) {
  const [addSources, claim] = [scanning.slice(0, 1), claiming.slice(0, 1)]
  const often = [...addSources, ...claim, ...claim, ...claim, ...publishing.slice(2), ...ending.slice(0, 2)]
  const all = [...scanning, ...claiming, ...publishing, ...ending, ...offering, ...waiting, ...asking]
  return fc.commands([...all, ...often, ...waiting], { maxCommands, size: 'max' })
}

function pass(model: Model, { world }: Subject, ms: number): void {
  model.now_ms += ms
  world.advance(ms)
}

async function reap(model: Model, { world }: Subject): Promise<void> {
  expect(idsOf(await world.store.reap())).toEqual(idsOf(claims.reap(model)))
}

/** As the master does it: half done publications are ended, whether their results are there or not, then all are renewed. */
async function restart(model: Model, subject: Subject, areThere: boolean): Promise<void> {
  const { world } = subject
  await world.reopen()
  const half = await world.store.publishing()
  expect(idsOf(half)).toEqual(idsOf(claims.publishing(model)))
  for (const job of half) {
    const key = { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
    expect(find(model, job.id)?.publish_size).toBe(job.publish_size)
    await (areThere ? publishedBefore(key, job) : lost(key, job))
  }
  await world.store.renewAll(lease_ms)
  claims.renewAll(model)

  async function publishedBefore(key: ClaimKey, { publish_size: output_size, ran_on, profile }: (typeof half)[number]) {
    const done = { ...result, output_size, ran_on, profile }
    await expectAnswer(subject, await world.store.complete(key, done), claims.complete(model, key, done))
  }

  async function lost(key: ClaimKey, { ran_on }: (typeof half)[number]) {
    await expectAnswer(subject, await world.store.abandonPublish(key), claims.abandonPublish(model, key))
    const failed = await world.store.fail(key, { ...failure('no result', model.now_ms + pause_ms), ran_on })
    const how = { error_class: 'retryable', retry_at_ms: model.now_ms + pause_ms, ran_on, heard_since_ms: 0 } as const
    await expectAnswer(subject, failed, claims.fail(model, key, how))
  }
}
