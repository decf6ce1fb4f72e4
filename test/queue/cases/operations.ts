import { expect } from 'bun:test'
import { type JobStatus, jobStatuses } from '../../../src/contract/job.ts'
import { type Act, transitions } from '../../../src/queue/transitions.ts'
import { heard } from './heard.ts'
import { asked, refuse } from './refusals.ts'
import { replaced } from './replacements.ts'
import { bringTo } from './states.ts'
import {
  changedSource,
  type Check,
  failure,
  idOf,
  keyOf,
  lease_ms,
  result,
  skipped,
  there,
  type World,
} from './world.ts'

/** Every act of the table of transitions as a store does it to the job of `a`; whether the store says that it did. */
const acts: Record<Act, (world: World, attempt: number) => Promise<boolean>> = {
  claim: async ({ store }) => (await store.claim({ worker_id: 'bob', request_id: 'new', lease_ms })) !== undefined,
  complete: async ({ store }, attempt) => (await store.complete(alices(attempt), result)) !== undefined,
  fail: async ({ store }, attempt) => (await store.fail(alices(attempt), failure())) !== undefined,
  skip: async ({ store }, attempt) => (await store.skip(alices(attempt), skipped)) !== undefined,
  release: async ({ store }, attempt) => (await store.release(alices(attempt))) !== undefined,
  refuse: async (world) => {
    await heard(world, 'bob')
    return (await refuse(world, await world.job('a'))) !== undefined
  },
  strand: async (world) => {
    await heard(world, 'carol')
    const pending = (await world.job('a')).status === 'pending' ? await asked(world, 'bob') : undefined
    if (pending) await refuse(world, pending)
    const ended = { error_message: 'nobody took it', retry_at_ms: null }
    return (await world.store.strand(idOf('a'), ended)) !== undefined
  },
  retry: async ({ store }) => (await store.retry(idOf('a'))) !== undefined,
  requeue: async ({ store }) => (await store.requeue(idOf('a'))) !== undefined,
  undo: async (world) => {
    if ((await world.job('a')).status === 'completed') await replaceAgain(world)
    const begun = await world.store.beginUndo(idOf('a'))
    return begun !== undefined && (await world.store.endUndo(begun, 'the original is back')) !== undefined
  },
  cancel: async ({ store }) => (await store.cancel(idOf('a'))) !== undefined,
  change: async ({ store }) => (await store.addSources([changedSource('a')])).changed === 1,
}

/** Acts on whatever is due or in somebody's name, as acts of the table; how many jobs the store says that it moved. */
const sweeps: Record<string, { act: Act; from: JobStatus; run: (world: World) => Promise<number> }> = {
  reap: { act: 'release', from: 'processing', run: async ({ store }) => (await store.reap()).length },
  releaseWorker: {
    act: 'release',
    from: 'processing',
    run: async ({ store }) => (await store.releaseWorker('alice')).length,
  },
  retryFailed: { act: 'retry', from: 'failed', run: ({ store }) => store.retryFailed(10) },
}

/** The whole table of transitions, walked. */
export function operationCases(check: Check): void {
  for (const act of Object.keys(transitions) as Act[]) {
    for (const state of jobStatuses) {
      const next = stateAfter(act, state)
      if (next) check(`${act} takes a ${state} job to ${next}`, (world) => leads(world, act, state, next))
      else check(`${act} of a ${state} job changes nothing`, (world) => refuses(world, act, state))
    }
  }

  for (const [name, { act, from, run }] of Object.entries(sweeps)) {
    for (const state of jobStatuses) {
      const next = state === from ? stateAfter(act, state) : undefined
      check(`${name} ${next ? `takes a ${state} job to ${next}` : `leaves a ${state} job alone`}`, async (world) => {
        await world.add('a')
        const before = await bringTo(world, 'a', state)
        world.advance(lease_ms)
        expect(await run(world)).toBe(next ? 1 : 0)
        const after = await world.job('a')
        if (next) expect(after.status).toBe(next)
        else expect(after).toEqual(before)
      })
    }
  }

  for (const act of ['retry', 'requeue', 'cancel'] as const) {
    check(`${act} of a job that is not there does nothing`, async ({ store }) => {
      expect(await store[act]('no such job')).toBeUndefined()
    })
  }

  for (const state of jobStatuses) {
    check(`the priority of a ${state} job can be changed, and nothing else of it changes`, async (world) => {
      await world.add('a')
      const before = await bringTo(world, 'a', state)
      const prioritized = await world.store.prioritize(idOf('a'), 9)
      expect(prioritized).toEqual({ ...before, priority: 9 })
      expect(await world.job('a')).toEqual({ ...before, priority: 9 })
    })
  }

  check('a priority outlasts a requeue', async (world) => {
    await world.add('a')
    await world.store.prioritize(idOf('a'), 8)
    await bringTo(world, 'a', 'completed')
    expect((await world.store.requeue(idOf('a')))?.priority).toBe(8)
    expect(await world.store.prioritize('no such job', 8)).toBeUndefined()
  })

  check('a requeued job still says how large its published result is', async (world) => {
    await world.add('a')
    await bringTo(world, 'a', 'completed')
    expect(await world.store.requeue(idOf('a'))).toMatchObject({ status: 'pending', output_size: 400, attempt: 1 })
  })

  check('a completed job says what came of it', async (world) => {
    await world.add('a')
    const claimed = await world.claim()
    world.advance(5000)
    expect(await world.store.complete(keyOf(claimed), result)).toEqual({
      ...claimed,
      status: 'completed',
      completed_at: world.now,
      output_size: 400,
      source_duration: 12.5,
      notes: ['a subtitle was dropped'],
    })
  })

  check('a cancelled job says so, and keeps who worked on it', async (world) => {
    await world.add('a')
    const claimed = await world.claim('alice')
    const cancelled = { ...claimed, status: 'cancelled', error_message: 'cancelled' } as const
    expect(await world.store.cancel(idOf('a'))).toEqual(cancelled)
  })

  check('a job in publication cannot be cancelled', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    const publishing = await world.store.beginPublish(key, result)
    expect(await world.store.cancel(idOf('a'))).toBeUndefined()
    expect(await world.job('a')).toEqual(there(publishing))
    expect(await world.store.complete(key, result)).toMatchObject({ status: 'completed' })
  })

  check(
    'a claim in publication cannot be failed, skipped or released until its publication is given up',
    async (world) => {
      await world.add('a')
      const key = keyOf(await world.claim())
      await world.store.beginPublish(key, result)
      expect(await world.store.fail(key, failure('late word', null))).toBeUndefined()
      expect(await world.store.skip(key, skipped)).toBeUndefined()
      expect(await world.store.release(key)).toBeUndefined()
      expect(await world.store.abandonPublish({ ...key, attempt: 9 })).toBeUndefined()
      await world.store.abandonPublish(key)
      expect(await world.store.release(key)).toMatchObject({ status: 'pending' })
    },
  )

  check('a job whose publication failed can be cancelled', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.beginPublish(key, result)
    await world.store.abandonPublish(key)
    await world.store.fail(key, failure('cannot publish', world.now_ms + 1000))
    expect(await world.store.publishing()).toEqual([])
    expect(await world.store.cancel(idOf('a'))).toMatchObject({ status: 'cancelled', retry_at_ms: null })
  })
}

async function leads(world: World, act: Act, state: JobStatus, next: JobStatus): Promise<void> {
  await world.add('a')
  const { attempt } = await bringTo(world, 'a', state)
  expect(await acts[act](world, attempt)).toBe(true)
  expect((await world.job('a')).status).toBe(next)
  const { by_status } = await world.store.totals()
  expect(by_status).toEqual({ pending: 0, processing: 0, completed: 0, failed: 0, cancelled: 0, skipped: 0, [next]: 1 })
}

async function refuses(world: World, act: Act, state: JobStatus): Promise<void> {
  await world.add('a')
  const before = await bringTo(world, 'a', state)
  const attempts = await world.store.attempts(idOf('a'))
  const totals = await world.store.totals()
  expect(await acts[act](world, before.attempt)).toBe(false)
  expect(await world.job('a')).toEqual(before)
  expect(await world.store.attempts(idOf('a'))).toEqual(attempts)
  expect(await world.store.totals()).toEqual(totals)
}

/** Converts the job once more, with a result that takes its source's place. */
async function replaceAgain(world: World): Promise<void> {
  await world.store.requeue(idOf('a'))
  await replaced(world)
}

function alices(attempt: number) {
  return { job_id: idOf('a'), worker_id: 'alice', attempt }
}

/** Where the table says that an act leads from a state; undefined when it is not allowed there. */
function stateAfter(act: Act, status: JobStatus): JobStatus | undefined {
  return (transitions[act] as Partial<Record<JobStatus, JobStatus>>)[status]
}
