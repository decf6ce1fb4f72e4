import { expect } from 'bun:test'
import { type Check, failure, idOf, keyOf, result, source, type World } from './world.ts'

const nothing = { count: 0, source_bytes: 0, busy_seconds: 0, median_job_seconds: null }

/** How fast it goes, measured on the newest completions. */
export function completionCases(check: Check): void {
  check('before the first completion nothing is measured', async (world) => {
    await world.add('a', 'b')
    await world.store.fail(keyOf(await world.claim()), failure())
    await world.claim()
    expect(await world.store.completions(0, 100)).toEqual(nothing)
  })

  check('time in which nothing was worked on does not count', async (world) => {
    await complete(world, 'a', 10)
    world.advance(3_600_000)
    await complete(world, 'b', 20)
    const measured = { count: 2, source_bytes: 2000, busy_seconds: 30, median_job_seconds: 20 }
    expect(await world.store.completions(0, 100)).toEqual(measured)
  })

  check('time in which two jobs were worked on counts once', async (world) => {
    await world.add('a', 'b')
    const first = await world.claim()
    world.advance(4000)
    const second = await world.claim()
    world.advance(6000)
    await world.store.complete(keyOf(first), result)
    world.advance(2000)
    await world.store.complete(keyOf(second), result)
    expect(await world.store.completions(0, 100)).toMatchObject({ count: 2, busy_seconds: 12 })
  })

  check('only the newest completions are measured, as many as asked for', async (world) => {
    for (const [name, seconds] of [
      ['a', 50],
      ['b', 30],
      ['c', 10],
    ] as const)
      await complete(world, name, seconds)
    expect(await world.store.completions(0, 2)).toMatchObject({ count: 2, busy_seconds: 40, source_bytes: 2000 })
  })

  check('completions before the instant are not measured, one at the instant is', async (world) => {
    await complete(world, 'a', 10)
    const since_ms = world.now_ms
    expect(await world.store.completions(since_ms, 100)).toMatchObject({ count: 1 })
    expect(await world.store.completions(since_ms + 1, 100)).toEqual(nothing)
  })

  check('a job that was queued again is not measured until it is completed again', async (world) => {
    await complete(world, 'a', 10)
    await world.store.requeue(idOf('a'))
    expect(await world.store.completions(0, 100)).toEqual(nothing)
    const claimed = await world.claim()
    world.advance(3000)
    await world.store.complete(keyOf(claimed), result)
    expect(await world.store.completions(0, 100)).toMatchObject({ count: 1, busy_seconds: 3 })
  })

  check('a retried job is measured from its last claim', async (world) => {
    await world.add('a')
    await world.store.release(keyOf(await world.claim()))
    world.advance(100_000)
    const claimed = await world.claim()
    world.advance(5000)
    await world.store.complete(keyOf(claimed), result)
    expect(await world.store.completions(0, 100)).toMatchObject({ busy_seconds: 5, median_job_seconds: 5 })
  })
}

/** Adds a source of 1000 bytes and completes its job after so many seconds. */
async function complete(world: World, name: string, seconds: number): Promise<void> {
  await world.store.addSources([source(name)])
  const claimed = await world.claim()
  world.advance(seconds * 1000)
  await world.store.complete(keyOf(claimed), result)
}
