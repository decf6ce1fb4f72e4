import { expect } from 'bun:test'
import type { PathTotals } from '../../../src/queue/store.ts'
import { onCpu, ranOn } from '../gpu-samples.ts'
import { changedSource, type Check, failure, idOf, keyOf, lease_ms, result, type World } from './world.ts'

/** What conversions ran on: of each job, of each attempt, and of all by path. */
export function ranOnCases(check: Check): void {
  check('a completed job and its attempt keep what it ran on, with all reasons, in a reopened queue', async (world) => {
    const kept = onCpu({ reasons: ['the GPU ran out of memory', 'it’s "quoted"; \n'] })
    await world.add('a')
    expect(await world.store.complete(keyOf(await world.claim()), { ...result, ran_on: kept })).toMatchObject({
      ran_on: kept,
    })
    await world.reopen()
    expect((await world.job('a')).ran_on).toEqual(kept)
    expect((await world.store.jobs({ limit: 1 })).jobs[0]?.ran_on).toEqual(kept)
    expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.ran_on)).toEqual([kept])
  })

  check('a failed job keeps what it ran on while it waits for its retry, until the next claim', async (world) => {
    await world.add('a')
    await failOn(world, world.now_ms + 1)
    expect((await world.job('a')).ran_on).toEqual(ranOn())
    world.advance(1)
    await world.store.retryDue()
    expect(await world.job('a')).toMatchObject({ status: 'pending', ran_on: ranOn() })
    expect(await world.claim()).toMatchObject({ attempt: 2, ran_on: null })
    expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.ran_on)).toEqual([ranOn()])
  })

  const forgets = {
    'a retry': ({ store }: World) => store.retry(idOf('a')),
    'a retry of all that failed': ({ store }: World) => store.retryFailed(10),
    'a requeue': ({ store }: World) => store.requeue(idOf('a')),
    'a changed source': ({ store }: World) => store.addSources([changedSource('a')]),
  }
  for (const [act, forget] of Object.entries(forgets)) {
    check(`${act} forgets what the job ran on, and its attempts do not`, async (world) => {
      await world.add('a')
      await failOn(world)
      await forget(world)
      expect(await world.job('a')).toMatchObject({ status: 'pending', ran_on: null })
      expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.ran_on)).toEqual([ranOn()])
    })
  }

  const ends = {
    released: async ({ store, job }: World) => store.release(keyOf(await job('a'))),
    lost: async ({ store, advance }: World) => {
      advance(lease_ms)
      await store.reap()
    },
    cancelled: async ({ store }: World) => store.cancel(idOf('a')),
  }
  for (const [outcome, end] of Object.entries(ends)) {
    check(
      `an attempt that ended ${outcome} ran on nothing that is known, whatever the one before ran on`,
      async (world) => {
        await world.add('a')
        await failOn(world, world.now_ms)
        await world.store.retryDue()
        await world.claim()
        await end(world)
        expect((await world.job('a')).ran_on).toBeNull()
        expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.ran_on)).toEqual([ranOn(), null])
      },
    )
  }

  check('cancelling a failed job leaves what its last attempt ran on', async (world) => {
    await world.add('a')
    await failOn(world)
    expect(await world.store.cancel(idOf('a'))).toMatchObject({ ran_on: ranOn() })
  })

  publicationCases(check)
  pathCases(check)
}

function publicationCases(check: Check): void {
  check('a publication that was begun keeps what it ran on for the master that ends it', async (world) => {
    await world.add('a')
    await world.store.beginPublish(keyOf(await world.claim()), { ...result, ran_on: onCpu() })
    await world.reopen()
    expect(await world.store.publishing()).toMatchObject([{ id: idOf('a'), publish_size: 400, ran_on: onCpu() }])
  })

  check('a publication that was abandoned takes what it ran on with it', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.beginPublish(key, { ...result, ran_on: onCpu() })
    expect(await world.store.abandonPublish(key)).toMatchObject({ ran_on: null })
    await world.store.release(key)
    expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.ran_on)).toEqual([null])
  })
}

function pathCases(check: Check): void {
  check('before a worker told what a completion ran on there are no paths', async (world) => {
    await world.add('a', 'b')
    await world.store.complete(keyOf(await world.claim()), result)
    await failOn(world)
    expect(await world.store.paths(10)).toEqual([])
  })

  check('completions are counted by path, most of them first, as many paths as asked for', async (world) => {
    const { decode, filter, encoder, device } = ranOn()
    const gpu = { decode, filter, encoder, device }
    for (const path of [ranOn({ device: 'another GPU' }), onCpu(), ranOn(), onCpu(), ranOn(), ranOn()])
      await completeOn(world, path)
    const paths: PathTotals[] = [
      { ...gpu, jobs: 3, fell_back: 0, last_reason: null },
      {
        decode: 'cpu',
        filter: 'cpu',
        encoder: 'libx264',
        device: null,
        jobs: 2,
        fell_back: 2,
        last_reason: 'the GPU ran out of memory',
      },
      { ...gpu, device: 'another GPU', jobs: 1, fell_back: 0, last_reason: null },
    ]
    expect(await world.store.paths(10)).toEqual(paths)
    expect(await world.store.paths(2)).toEqual(paths.slice(0, 2))
    await world.reopen()
    expect(await world.store.paths(10)).toEqual(paths)
  })

  check(
    'the newest reason of a path is told, but once a GPU failed only that of the next such failure',
    async (world) => {
      const told = []
      for (const path of [
        onCpu({ fell_back: false, reasons: ['no GPU'] }),
        onCpu({ fell_back: false, reasons: [] }),
        onCpu({ fell_back: false, reasons: ['too small', 'too long'] }),
        onCpu({ reasons: ['the GPU failed'] }),
        onCpu({ fell_back: false, reasons: ['too small'] }),
        onCpu({ reasons: ['the GPU failed anew'] }),
      ]) {
        await completeOn(world, path)
        told.push(
          (await world.store.paths(10)).map(({ jobs, fell_back, last_reason }) => [jobs, fell_back, last_reason]),
        )
      }
      expect(told).toEqual([
        [[1, 0, 'no GPU']],
        [[2, 0, null]],
        [[3, 0, 'too small; too long']],
        [[4, 1, 'the GPU failed']],
        [[5, 1, 'the GPU failed']],
        [[6, 2, 'the GPU failed anew']],
      ])
    },
  )

  check('a device without a name is none', async (world) => {
    await completeOn(world, onCpu({ device: '' }))
    await completeOn(world, onCpu())
    expect(await world.store.paths(10)).toMatchObject([{ device: null, jobs: 2 }])
  })

  check('a completion that is refused is not counted, one that is done again is', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.complete(key, { ...result, ran_on: ranOn() })
    expect(await world.store.complete(key, { ...result, ran_on: ranOn() })).toBeUndefined()
    expect(await world.store.paths(10)).toMatchObject([{ jobs: 1 }])
    await world.store.requeue(idOf('a'))
    await world.store.complete(keyOf(await world.claim()), { ...result, ran_on: ranOn() })
    expect(await world.store.paths(10)).toMatchObject([{ jobs: 2 }])
  })
}

let films = 0

/** Adds a job and completes it on a path. */
async function completeOn(world: World, ran_on: ReturnType<typeof ranOn>): Promise<void> {
  await world.add(`film ${films++}`)
  await world.store.complete(keyOf(await world.claim()), { ...result, ran_on })
}

/** Fails the next job on a GPU. */
async function failOn(world: World, retry_at_ms: number | null = null): Promise<void> {
  await world.store.fail(keyOf(await world.claim()), { ...failure('it broke', retry_at_ms), ran_on: ranOn() })
}
