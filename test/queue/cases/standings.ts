import { expect } from 'bun:test'
import type { FailureReport } from '../../../src/contract/failure.ts'
import type { Job } from '../../../src/contract/job.ts'
import { onCpu } from '../gpu-samples.ts'
import { heard } from './heard.ts'
import { asked } from './refusals.ts'
import { type Check, failure, failureReport, keyOf, lease_ms, result, skipped, there, type World } from './world.ts'

/** Failures in a row that set a worker aside. */
const enough = 5
const minute = 60_000

/** When a worker is given no more jobs, and when again. */
export function standingCases(check: Check): void {
  check('a worker that failed five jobs in a row is given no job for a minute', async (world) => {
    await failing(world, 'alice', enough - 1)
    expect(await world.store.setAside()).toEqual([])
    await failing(world, 'alice', 1, 'its disk is full')
    const aside = { worker_id: 'alice', failures: 5, reason: 'its disk is full', until_ms: world.now_ms + minute }
    expect(await world.store.setAside()).toEqual([aside])
    await world.add('next')
    await world.reopen()
    expect(await world.store.setAside()).toEqual([aside])
    expect(await asked(world, 'alice')).toBeUndefined()
    world.advance(minute - 1)
    expect(await asked(world, 'alice')).toBeUndefined()
    expect(await world.store.claim({ worker_id: 'alice', request_id: null, lease_ms })).toBeUndefined()
    world.advance(1)
    expect(await world.store.setAside()).toEqual([])
    expect(await asked(world, 'alice')).toBeDefined()
  })

  check('others go on meanwhile, and a request of its own that has its job is answered', async (world) => {
    await world.add('running')
    const request = { worker_id: 'alice', request_id: 'running', lease_ms }
    const running = await world.store.claim(request)
    await failing(world, 'alice', enough)
    expect(await world.store.claim(request)).toEqual(there(running))
    await world.add('next')
    expect(await asked(world, 'bob')).toBeDefined()
  })

  pauseCases(check)
  clearingCases(check)
  countingCases(check)
  blameCases(check)
}

function pauseCases(check: Check): void {
  check(
    'while others are there, the first failure after each return doubles the pause, up to an hour',
    async (world) => {
      await failing(world, 'alice', enough - 1)
      const pauses: number[] = []
      for (let time = 0; time < 8; time++) {
        await heard(world, 'bob')
        await failing(world, 'alice', 1)
        pauses.push(await passPause(world, 'alice'))
      }
      expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((minutes) => minutes * minute))
    },
  )

  check('while nobody else is there the pause stays a minute', async (world) => {
    await failing(world, 'alice', enough - 1)
    for (let time = 0; time < 3; time++) {
      await failing(world, 'alice', 1)
      expect(await passPause(world, 'alice')).toBe(minute)
    }
  })

  check('failures of what was begun before the pause ended lengthen nothing', async (world) => {
    await heard(world, 'bob')
    await world.add('1', '2', '3')
    const [late, ...soon] = [await world.claim('alice'), await world.claim('alice'), await world.claim('alice')]
    await failing(world, 'alice', enough)
    const [aside] = await world.store.setAside()
    for (const job of soon) await fail(world, job)
    expect(await world.store.setAside()).toMatchObject([{ failures: 7, until_ms: aside?.until_ms }])
    await passPause(world, 'alice')
    await fail(world, there(late))
    expect(await world.store.setAside()).toEqual([])
  })
}

function clearingCases(check: Check): void {
  check('a success clears all: it takes five more failures, and the pause is a minute again', async (world) => {
    await world.add('fine')
    const fine = await world.claim('alice')
    await failing(world, 'alice', enough)
    await world.store.complete(keyOf(fine), result)
    expect(await world.store.setAside()).toEqual([])
    await failing(world, 'alice', enough - 1)
    expect(await world.store.setAside()).toEqual([])
    await heard(world, 'bob')
    await failing(world, 'alice', 1)
    expect(await passPause(world, 'alice')).toBe(minute)
  })

  check('a skip clears all as a success does when it came to an encode, and nothing when it did not', async (world) => {
    await world.add('skipped', 'stopped')
    const [early, late] = [await world.claim('alice'), await world.claim('alice')]
    await failing(world, 'alice', enough - 1)
    await world.store.skip(keyOf(early), skipped)
    await failing(world, 'alice', 1)
    expect(await world.store.setAside()).toHaveLength(1)
    await world.store.skip(keyOf(late), { ...skipped, ran_on: onCpu() })
    expect(await world.store.setAside()).toEqual([])
  })

  check('a worker that is resumed works again at once, as if it had never failed', async (world) => {
    await failing(world, 'alice', enough)
    expect(await world.store.resume('alice')).toBe(true)
    await failing(world, 'alice', enough - 1)
    expect(await world.store.setAside()).toEqual([])
    expect(await world.store.resume('alice')).toBe(false)
    expect(await world.store.resume('nobody')).toBe(false)
    await failing(world, 'alice', enough - 1)
    expect(await world.store.setAside()).toEqual([])
  })
}

function countingCases(check: Check): void {
  const reports: Record<string, [FailureReport | undefined, boolean]> = {
    'that its worker cannot help': [{ ...failureReport, class: 'worker' }, true],
    'that may pass': [failureReport, true],
    'that a foreign worker tells': [undefined, true],
    'for good': [{ ...failureReport, class: 'permanent' }, false],
    'of publications': [{ ...failureReport, step: 'publish' }, false],
    'of publications that a worker tells': [{ ...failureReport, class: 'worker', step: 'publish' }, false],
    'of staging, be it for room or for rights': [{ ...failureReport, class: 'worker', step: 'stage' }, true],
  }
  for (const [what, [report, counts]] of Object.entries(reports)) {
    check(`failures ${what} ${counts ? 'count' : 'do not count'}`, async (world) => {
      for (let time = 0; time < enough; time++) {
        await world.add(`${time}`)
        await world.store.fail(keyOf(await world.claim('alice')), { ...failure(), report })
      }
      expect(await world.store.setAside()).toHaveLength(counts ? 1 : 0)
    })
  }

  check('a job counts once, however often it fails', async (world) => {
    await failing(world, 'alice', enough - 1)
    for (let time = 0; time < enough; time++) {
      await world.store.retryFailed(1)
      await fail(world, await world.claim('alice'))
    }
    expect(await world.store.setAside()).toEqual([])
  })

  check('what was released, lost or cancelled neither counts nor clears', async (world) => {
    await failing(world, 'alice', enough - 1)
    await world.add('a')
    await world.store.release(keyOf(await world.claim('alice')))
    await world.claim('alice')
    world.advance(lease_ms)
    await world.store.reap()
    await world.store.cancel((await world.claim('alice')).id)
    expect(await world.store.setAside()).toEqual([])
    await failing(world, 'alice', 1)
    expect(await world.store.setAside()).toHaveLength(1)
  })
}

function blameCases(check: Check): void {
  check('jobs that another worker fails too are to blame, not their workers', async (world) => {
    await failing(world, 'alice', enough)
    expect(await world.store.setAside()).toHaveLength(1)
    await world.store.retryFailed(1)
    await fail(world, await world.claim('bob'))
    expect(await world.store.setAside()).toEqual([])
    await world.store.retryFailed(enough)
    for (let job = 0; job < enough; job++) await fail(world, await world.claim('bob'))
    expect(await world.store.setAside()).toEqual([])
  })

  check('where everybody fails at everything, everybody is set aside', async (world) => {
    for (let job = 0; job < 5 * enough; job++) {
      await world.add(`${job}`)
      for (const worker_id of ['alice', 'bob', 'carol']) {
        const claimed = await asked(world, worker_id)
        if (claimed) await fail(world, claimed)
        await world.store.retryFailed(10)
      }
      await world.store.cancel(`id-of-${job}`)
    }
    expect((await world.store.setAside()).map((aside) => aside.worker_id)).toEqual(['alice', 'bob', 'carol'])
  })
}

/** Lets a worker fail so many jobs, each a new one that stays failed. */
async function failing(world: World, worker_id: string, times: number, message = 'broken'): Promise<void> {
  for (let time = 0; time < times; time++) {
    await world.add(crypto.randomUUID())
    await fail(world, await world.claim(worker_id), message)
  }
}

async function fail({ store, now_ms }: World, job: Job, message = 'broken'): Promise<void> {
  await store.fail(keyOf(job), { ...failure(message), heard_since_ms: now_ms - lease_ms })
}

/** Lets the time pass for which a worker is set aside; how long it was, milliseconds. */
async function passPause(world: World, worker_id: string): Promise<number> {
  const aside = (await world.store.setAside()).find((one) => one.worker_id === worker_id)
  const pause = there(aside).until_ms - world.now_ms
  world.advance(pause)
  return pause
}
