import { expect } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import { heard } from './heard.ts'
import { refuse } from './refusals.ts'
import { type Check, changedSource, idOf, keyOf, lease_ms, source, type World } from './world.ts'

/** What a worker gets that has room for sources up to a size only. */
export function sizeCases(check: Check): void {
  check(
    'with a limit the first job whose source fits is given, the one whose turn it is where it does',
    async (world) => {
      await addSizes(world, [5000, 900, 100, 1000])
      expect(await sizesTaken(world, [4000, 1000, 1000, 1000])).toEqual([900, 100, 1000, undefined])
      expect(await sizesTaken(world, [5000, undefined])).toEqual([5000, undefined])
    },
  )

  check('a limit is kept to the byte, near powers of two and far beyond what 32 bits hold', async (world) => {
    for (const size of [0, 1, 7, 8, 9, 63, 64, 65, 4095, 4096, 2 ** 31, 2 ** 32 + 1, 50_000_000_000, 2 ** 45 + 3]) {
      await world.store.addSources([source(`${size}`, { source_size: size })])
      if (size > 0) expect(await asked(world, size - 1)).toBeUndefined()
      expect((await asked(world, size))?.source_size).toBe(size)
    }
  })

  check('what is larger is passed over for whoever has room, who gets it at its turn', async (world) => {
    await addSizes(world, [9000, 9001, 9002, 20, 9003])
    expect((await asked(world, 100))?.source_size).toBe(20)
    expect(await asked(world, 100)).toBeUndefined()
    expect((await asked(world, 9001))?.source_size).toBe(9000)
    expect((await asked(world, null))?.source_size).toBe(9001)
  })

  check('among those that fit, priority goes before age, and none before its pause is over', async (world) => {
    await addSizes(world, [9000, 10, 20, 700, 30])
    await world.store.prioritize(idOf('700'), 9)
    await world.store.putBack(keyOf(await there(asked(world, 10))), world.now_ms + 500)
    expect(await sizesTaken(world, [800, 800, 800, 800])).toEqual([700, 20, 30, undefined])
    world.advance(500)
    expect((await asked(world, 800))?.source_size).toBe(10)
  })

  check(
    'a source of which no scan has told the size fits, and one that changed counts by what it is now',
    async (world) => {
      await world.store.addSources([source('a', { source_size: 10 }), changedSource('b', { source_size: 5000 })])
      await world.store.addSources([source('a', { source_size: 9000, source_mtime_ms: 1 })])
      expect(await asked(world, 100)).toBeUndefined()
      await world.store.updateSource(idOf('b'), { source_size: 90, source_mtime_ms: 2 })
      expect((await asked(world, 100))?.id).toBe(idOf('b'))
    },
  )

  check('what others have refused is given by the same limit, in its turn', async (world) => {
    await addSizes(world, [9000, 50, 60, 70])
    await heard(world, 'bob')
    for (const limit of [null, 50, 60]) await refuse(world, await there(asked(world, limit, 'carol')))
    expect(await asked(world, 60, 'carol')).toBeUndefined()
    expect(await sizesTaken(world, [55, 55, 9000, 65, 65])).toEqual([50, undefined, 9000, 60, undefined])
  })

  check('a job whose turn was before that of a given one is told of, and not taken by that', async (world) => {
    await addSizes(world, [50, 9000, 20, 8000])
    const before = async (limit: number) => {
      const job = await there(asked(world, limit))
      return [job.source_size, (await world.store.nextFor('alice', job.id))?.source_size]
    }
    expect(await before(100)).toEqual([50, undefined])
    expect(await before(100)).toEqual([20, 9000])
    expect(await world.store.nextFor('bob')).toEqual(await world.job('9000'))
    await world.store.prioritize(idOf('8000'), 9)
    expect(await before(9000)).toEqual([8000, undefined])
    expect(await before(9000)).toEqual([9000, undefined])
    expect(await world.store.nextFor('bob')).toBeUndefined()
  })

  check('the same request gets the same job, whatever room is left for it meanwhile', async (world) => {
    await addSizes(world, [500])
    const claim = { worker_id: 'alice', request_id: 'one', lease_ms }
    const job = await world.store.claim({ ...claim, max_source_bytes: 600 })
    expect(await world.store.claim({ ...claim, max_source_bytes: 0 })).toEqual(job)
  })
}

async function addSizes({ store }: World, sizes: readonly number[]): Promise<void> {
  // One batch has one time: then the order is that in which they were added.
  await store.addSources(sizes.map((source_size) => source(`${source_size}`, { source_size })))
}

async function sizesTaken(world: World, limits: readonly (number | undefined)[]): Promise<unknown[]> {
  const sizes: unknown[] = []
  for (const limit of limits) sizes.push((await asked(world, limit ?? null))?.source_size)
  return sizes
}

function asked({ store }: World, limit: number | null, worker_id = 'alice'): Promise<Job | undefined> {
  const max_source_bytes = limit ?? undefined
  return store.claim({ worker_id, request_id: crypto.randomUUID(), lease_ms, max_source_bytes })
}

async function there(job: Promise<Job | undefined>): Promise<Job> {
  const found = await job
  if (!found) throw new Error('expected a job')
  return found
}
