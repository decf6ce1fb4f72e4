import { expect } from 'bun:test'
import type { ClaimKey, Store } from '../../../src/queue/store.ts'
import { bringTo, settledStates } from './states.ts'
import { type Check, failure, idOf, keyOf, lease_ms, result, skipped, there, type World } from './world.ts'

/** The steps that only the owner of a claim may take; a refused one gives undefined or false. */
const steps: Record<string, (store: Store, key: ClaimKey) => Promise<unknown>> = {
  renew: (store, key) => store.renew(key, lease_ms),
  beginPublish: (store, key) => store.beginPublish(key, result),
  complete: (store, key) => store.complete(key, result),
  skip: (store, key) => store.skip(key, skipped),
  fail: (store, key) => store.fail(key, failure()),
  release: (store, key) => store.release(key),
  putBack: (store, key) => store.putBack(key, 0),
  yieldOutput: (store, key) => store.yieldOutput(key),
}

/** What a claim's key opens, and that nothing else does. */
export function ownershipCases(check: Check): void {
  for (const [name, step] of Object.entries(steps)) {
    check(`${name} is the owner's, with the number of its claim or without`, async ({ store, add, claim }) => {
      await add('a', 'b')
      expect(await step(store, keyOf(await claim()))).toBeTruthy()
      const foreign = keyOf(there(await store.claim({ worker_id: 'foreign', request_id: null, lease_ms })))
      expect(await step(store, { job_id: foreign.job_id, worker_id: 'foreign' })).toBeTruthy()
    })

    check(`${name} without the number of a claim that was made with a request id changes nothing`, async (world) => {
      await world.add('a')
      const { job_id, worker_id } = keyOf(
        there(await world.store.claim({ worker_id: 'alice', request_id: 'request', lease_ms })),
      )
      await refused(world, step, { job_id, worker_id })
    })

    check(`${name} by anybody but the owner of the newest claim changes nothing`, async (world) => {
      await world.add('a', 'b')
      await world.store.release(keyOf(await world.claim('alice')))
      const key = keyOf(await world.claim('alice'))
      const others: ClaimKey[] = [
        { ...key, worker_id: 'bob' },
        { job_id: key.job_id, worker_id: 'bob' },
        { ...key, worker_id: '' },
        { ...key, worker_id: 'ALICE' },
        { ...key, attempt: 1 },
        { ...key, attempt: 3 },
        { ...key, attempt: 0 },
        { ...key, job_id: idOf('b') },
        { ...key, job_id: 'no such job' },
      ]
      for (const other of others) await refused(world, step, other)
    })

    check(`${name} by a worker whose job another worker got since changes nothing`, async (world) => {
      await world.add('a')
      const lost = keyOf(await world.claim('alice'))
      world.advance(lease_ms)
      await world.store.reap()
      await world.claim('bob')
      await refused(world, step, lost)
      await refused(world, step, { job_id: lost.job_id, worker_id: lost.worker_id })
    })

    for (const state of settledStates) {
      check(`${name} of a job that is ${state} changes nothing`, async (world) => {
        await world.add('a')
        const { attempt } = await bringTo(world, 'a', state)
        await refused(world, step, { job_id: idOf('a'), worker_id: 'alice', attempt })
        await refused(world, step, { job_id: idOf('a'), worker_id: 'alice' })
      })
    }
  }

  check('a completion that is sent twice counts once', async ({ store, add, claim }) => {
    await add('a')
    const key = keyOf(await claim())
    await store.complete(key, result)
    expect(await store.complete(key, { ...result, output_size: 1 })).toBeUndefined()
    expect(await store.totals()).toMatchObject({ completed_output_bytes: 400 })
    expect(await store.attempts(idOf('a'))).toHaveLength(1)
  })

  check('a publication may be begun again, and keeps the newest size', async ({ store, add, claim }) => {
    await add('a')
    const key = keyOf(await claim())
    await store.beginPublish(key, result)
    await store.beginPublish(key, { ...result, output_size: 500 })
    expect(await store.publishing()).toMatchObject([{ id: idOf('a'), publish_size: 500 }])
  })

  check('only jobs in the middle of publication are listed as such', async (world) => {
    await world.add('a', 'b')
    const key = keyOf(await world.claim())
    await world.claim()
    expect(await world.store.publishing()).toEqual([])
    await world.store.beginPublish(key, result)
    await world.reopen()
    expect(await world.store.publishing()).toEqual([{ ...(await world.job('a')), publish_size: 400 }])
    await world.store.complete(key, result)
    expect(await world.store.publishing()).toEqual([])
  })
}

async function refused(world: World, step: (store: Store, key: ClaimKey) => Promise<unknown>, key: ClaimKey) {
  const { store } = world
  const look = async () => ({
    jobs: (await store.jobs({ limit: 10 })).jobs,
    attempts: await store.attempts(key.job_id),
    totals: await store.totals(),
    publishing: await store.publishing(),
  })
  const before = await look()
  expect(await step(store, key)).toBeOneOf([undefined, false])
  expect(await look()).toEqual(before)
}
