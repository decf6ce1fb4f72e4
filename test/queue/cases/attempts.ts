import { expect } from 'bun:test'
import type { Attempt, Job } from '../../../src/contract/job.ts'
import { type Check, failure, failureReport, idOf, keyOf, lease_ms, result, skipped, type World } from './world.ts'

/** What is kept of each claim once it has ended, and how each kind of end comes about. */
const ends: Record<Attempt['outcome'], { act: (world: World, job: Job) => Promise<unknown>; kept: Partial<Attempt> }> =
  {
    completed: { act: ({ store }, job) => store.complete(keyOf(job), result), kept: {} },
    released: { act: ({ store }, job) => store.release(keyOf(job)), kept: {} },
    cancelled: { act: ({ store }, job) => store.cancel(job.id), kept: {} },
    skipped: { act: ({ store }, job) => store.skip(keyOf(job), skipped), kept: { error_message: skipped.reason } },
    lost: {
      act: async ({ store, advance }) => {
        advance(lease_ms)
        await store.reap()
      },
      kept: { error_message: 'worker alice was not heard from' },
    },
    failed: {
      act: ({ store }, job) => store.fail(keyOf(job), failure('the encoder stopped')),
      kept: {
        error_message: 'the encoder stopped',
        error_class: 'retryable',
        step: 'encode',
        command: failureReport.command,
        stderr_tail: failureReport.stderr_tail,
        exit_code: 69,
      },
    },
  }

/** The history of a job, one entry for each claim that has ended. */
export function attemptCases(check: Check): void {
  check('a job that was never claimed, or does not exist, has no history', async ({ store, add }) => {
    await add('a')
    expect(await store.attempts(idOf('a'))).toEqual([])
    expect(await store.attempts('no such job')).toEqual([])
  })

  check('a claim that still runs is not history yet', async ({ store, add, claim }) => {
    await add('a')
    await claim()
    expect(await store.attempts(idOf('a'))).toEqual([])
  })

  for (const [outcome, { act, kept }] of Object.entries(ends)) {
    check(`an attempt that ended ${outcome} keeps who, when and what`, async (world) => {
      await world.add('a')
      const claimed = await world.claim('alice')
      world.advance(1000)
      await act(world, claimed)
      await world.reopen()
      expect<unknown[]>(await world.store.attempts(idOf('a'))).toEqual([
        {
          job_id: idOf('a'),
          attempt: 1,
          worker_id: 'alice',
          started_at: claimed.started_at,
          ended_at: world.now,
          outcome,
          error_message: null,
          error_class: null,
          step: null,
          command: [],
          stderr_tail: '',
          exit_code: null,
          ran_on: null,
          ...kept,
        },
      ])
    })
  }

  check('a failure without a report keeps its message alone', async ({ store, add, claim }) => {
    await add('a')
    await store.fail(keyOf(await claim()), { ...failure('it broke'), report: undefined })
    expect(await store.attempts(idOf('a'))).toMatchObject([
      { outcome: 'failed', error_message: 'it broke', command: [], stderr_tail: '', exit_code: null, step: null },
    ])
  })

  check('releasing a worker ends each of its attempts as released', async ({ store, add, claim }) => {
    await add('a', 'b')
    await claim('alice')
    await claim('alice')
    await store.releaseWorker('alice')
    for (const name of ['a', 'b']) {
      expect(await store.attempts(idOf(name))).toMatchObject([{ attempt: 1, worker_id: 'alice', outcome: 'released' }])
    }
  })

  check('cancelling a job that nobody works on is no attempt', async ({ store, add, claim }) => {
    await add('a')
    await store.fail(keyOf(await claim()), failure())
    await store.cancel(idOf('a'))
    await store.retry(idOf('a'))
    await store.cancel(idOf('a'))
    expect((await store.attempts(idOf('a'))).map((attempt) => attempt.outcome)).toEqual(['failed'])
  })

  check('the history holds every attempt in order, through retries and requeues', async (world) => {
    await world.add('a')
    const outcomes = ['released', 'lost', 'failed', 'completed', 'cancelled', 'skipped', 'completed'] as const
    for (const [index, outcome] of outcomes.entries()) {
      await ends[outcome].act(world, await world.claim(`worker-${index}`))
      await world.store.requeue(idOf('a'))
    }
    const history = await world.store.attempts(idOf('a'))
    expect(history.map(({ attempt, worker_id, outcome }) => ({ attempt, worker_id, outcome }))).toEqual(
      outcomes.map((outcome, index) => ({ attempt: index + 1, worker_id: `worker-${index}`, outcome })),
    )
  })
}
