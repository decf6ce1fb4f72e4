import { expect } from 'bun:test'
import * as fc from 'fast-check'
import type { Job } from '../../../src/contract/job.ts'
import type { ClaimKey } from '../../../src/queue/store.ts'
import { onCpu, ranOn } from '../gpu-samples.ts'
import { idOf } from '../cases/world.ts'
import { compare, type Subject } from './compare.ts'
import type { Model, ModelJob } from './model.ts'

/** One act on a store and its model. */
export type Step = fc.AsyncCommand<Model, Subject>

/** An act with whatever it is about: done to both, who must agree, and compared with all that the store tells then. */
export function step<Args>(
  name: string,
  args: fc.Arbitrary<Args>,
  act: (model: Model, subject: Subject, args: Args) => Promise<void>,
): fc.Arbitrary<Step> {
  return args.map((given) => ({
    check: () => true,
    async run(model, subject) {
      await act(model, subject, given)
      await compare(model, subject, name)
    },
    toString: () => `${name} ${JSON.stringify(given)}`,
  }))
}

/** A store's answer to an act on a job: given or refused as the model says, and the job as it is from then on. */
export async function expectAnswer(subject: Subject, answer: Job | undefined, expected: ModelJob | undefined) {
  expect(answer?.id).toBe(expected?.id)
  if (answer) expect(await subject.world.store.job(answer.id)).toEqual(answer)
}

/** No order is promised where a step takes several jobs. */
export function idsOf(jobs: readonly { id: string }[]): string[] {
  return jobs.map((job) => job.id).toSorted()
}

export const workers = ['alice', 'bob', 'foreign'] as const
/** Few, so that acts meet. */
const names = ['a', 'b', 'c', 'd'] as const

export const aName = fc.constantFrom(...names)
/** Ours repeat a request; foreign workers have none. */
export const anAsker = fc.oneof(
  fc.record({
    worker_id: fc.constantFrom('alice', 'bob'),
    request_id: fc.constantFrom('1', '2', '3', '4', '5'),
    // Between the sizes of sources here, and beside them.
    max_source_bytes: fc.constantFrom(undefined, undefined, 100, 999, 1000),
  }),
  fc.record({ worker_id: fc.constantFrom('alice', 'foreign'), request_id: fc.constant(null) }),
)
/** Milliseconds that a job waits for its retry here, or is put aside. */
export const pause_ms = 10_000
export const aPause = fc.constantFrom(0, pause_ms)
export const aPath = fc.constantFrom(null, ranOn(), onCpu(), onCpu({ fell_back: false }))

/** Which claim an act is about, and how truthfully it names it. */
export interface ClaimReference {
  /** Of those that run, or of all that ever were. */
  of: 'running' | 'all'
  /** From the newest, around. */
  index: number
  as: 'itself' | 'without number' | 'another worker' | 'a later number' | 'an earlier number'
}

export const aClaim: fc.Arbitrary<ClaimReference> = fc.record({
  of: fc.constantFrom('running', 'running', 'all'),
  index: fc.nat(7),
  as: fc.oneof(
    { weight: 8, arbitrary: fc.constant('itself') },
    { weight: 3, arbitrary: fc.constant('without number') },
    { weight: 1, arbitrary: fc.constantFrom('another worker', 'a later number', 'an earlier number') },
  ),
})

/** The key that is meant; to a claim that never was while there is none. */
export function keyOf(model: Model, reference: ClaimReference): ClaimKey {
  const isRunning = (claim: Model['claims'][number]) =>
    model.jobs.some((job) => job.id === claim.job_id && job.status === 'processing' && job.attempt === claim.attempt)
  const claims = reference.of === 'all' ? model.claims : model.claims.filter(isRunning)
  const { job_id, worker_id, attempt } = claims[reference.index % claims.length] ?? {
    job_id: idOf('a'),
    worker_id: 'alice',
    attempt: 1,
  }
  switch (reference.as) {
    case 'itself':
      return { job_id, worker_id, attempt }
    case 'without number':
      return { job_id, worker_id }
    case 'another worker':
      return { job_id, worker_id: worker_id === 'bob' ? 'alice' : 'bob', attempt }
    case 'a later number':
      return { job_id, worker_id, attempt: attempt + 1 }
    case 'an earlier number':
      return { job_id, worker_id, attempt: attempt - 1 }
  }
}
