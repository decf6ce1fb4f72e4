import { expect } from 'bun:test'
import type { Attempt } from '../../../src/contract/job.ts'
import {
  type Check,
  failure,
  idOf,
  keep_history_ms,
  keyOf,
  lease_ms,
  result,
  skipped,
  source,
  type World,
} from './world.ts'

/** What is removed of a queue's history, and what never is. */
export function historyCases(check: Check): void {
  check('an attempt that a later one followed is kept as long as the history is, and then removed', async (world) => {
    await world.add('a')
    await world.store.release(keyOf(await world.claim()))
    world.advance(1000)
    await world.store.complete(keyOf(await world.claim()), result)
    world.advance(keep_history_ms - 1000)
    expect(await world.store.tidy()).toBeUndefined()
    expect(await numbersOf(world, 'a')).toEqual([1, 2])
    world.advance(1)
    await world.store.tidy()
    expect(await numbersOf(world, 'a')).toEqual([2])
  })

  check('the newest attempt of a job stays, however old it is and however it ended', async (world) => {
    const ends: Record<Attempt['outcome'], () => Promise<unknown>> = {
      completed: async () => world.store.complete(keyOf(await world.claim()), result),
      failed: async () => world.store.fail(keyOf(await world.claim()), failure()),
      cancelled: async () => world.store.cancel((await world.claim()).id),
      skipped: async () => world.store.skip(keyOf(await world.claim()), skipped),
      lost: async () => {
        await world.claim()
        world.advance(lease_ms)
        await world.store.reap()
      },
      released: async () => world.store.release(keyOf(await world.claim())),
    }
    for (const [outcome, end] of Object.entries(ends)) {
      await world.add(outcome)
      await end()
      await world.store.prioritize(idOf(outcome), 0)
    }
    world.advance(10 * keep_history_ms)
    await world.store.tidy()
    for (const outcome of Object.keys(ends)) {
      expect((await world.store.attempts(idOf(outcome))).map((attempt) => attempt.outcome as string)).toEqual([outcome])
    }
  })

  check('a job that never ends keeps no history without bound either', async (world) => {
    await world.add('a')
    for (let count = 0; count < 5; count++) {
      await world.store.release(keyOf(await world.claim()))
      world.advance(keep_history_ms)
      await world.store.tidy()
    }
    world.advance(1)
    await world.store.tidy()
    expect(await numbersOf(world, 'a')).toEqual([5])
    expect(await world.job('a')).toMatchObject({ status: 'pending', attempt: 5 })
  })

  check('removed history changes nothing else: neither the job, nor the totals, nor the next number', async (world) => {
    await world.add('a')
    for (let count = 0; count < 3; count++) {
      await world.store.complete(keyOf(await world.claim()), result)
      await world.store.requeue(idOf('a'))
    }
    const before = [await world.job('a'), await world.store.totals(), await world.store.paths(10)]
    world.advance(keep_history_ms + 1)
    await world.store.tidy()
    await world.reopen()
    expect<unknown[]>([await world.job('a'), await world.store.totals(), await world.store.paths(10)]).toEqual(before)
    expect((await world.claim()).attempt).toBe(4)
  })

  check('a long history is removed a few attempts at a time, until all that is old is gone', async (world) => {
    const names = Array.from({ length: 500 }, (_, index) => `film ${index}`)
    await world.store.addSources(names.map((name) => source(name)))
    for (let round = 0; round < 2; round++) {
      for (const _ of names) await world.claim()
      await world.store.releaseWorker('alice')
    }
    world.advance(keep_history_ms + 1)
    const left = async () => (await Promise.all(names.map((name) => numbersOf(world, name)))).flat().length
    await world.store.tidy()
    expect(await left()).toBeGreaterThan(500)
    for (let tick = 0; tick < 100; tick++) await world.store.tidy()
    expect(await left()).toBe(500)
  })
}

async function numbersOf({ store }: World, name: string): Promise<number[]> {
  return (await store.attempts(idOf(name))).map((attempt) => attempt.attempt)
}
