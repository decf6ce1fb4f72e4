import { expect } from 'bun:test'
import type { ClaimKey } from '../../../src/queue/store.ts'
import { refuse } from './refusals.ts'
import { type Check, failure, idOf, keyOf, lease_ms, result, skipped, there, type World } from './world.ts'

/** Claims in a row that may end with a lost worker before the job is held to be the cause. */
const maxLostClaims = 5

/** What becomes of the jobs of workers that are not heard from any more. */
export function leaseCases(check: Check): void {
  check('a claim is taken back at the instant at which its lease ends, not before', async (world) => {
    await world.add('a')
    const claimed = await world.claim('alice')
    world.advance(lease_ms - 1)
    expect(await world.store.reap()).toEqual([])
    world.advance(1)
    const back = { ...claimed, status: 'pending', worker_id: null, started_at: null } as const
    expect(await world.store.reap()).toEqual([back])
    expect(await world.job('a')).toEqual(back)
    expect(await world.store.reap()).toEqual([])
    expect(await world.claim('bob')).toMatchObject({ id: idOf('a'), attempt: 2 })
  })

  check('a renewed claim lasts a whole lease from then on', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    world.advance(lease_ms - 1)
    expect(await world.store.renew(key, lease_ms)).toBe(true)
    world.advance(lease_ms - 1)
    expect(await world.store.reap()).toEqual([])
    world.advance(1)
    expect(await world.store.reap()).toHaveLength(1)
  })

  check("renewing a worker renews all of its claims and nobody else's", async (world) => {
    await world.add('a', 'b', 'c')
    await world.claim('alice')
    await world.claim('bob')
    await world.claim('alice')
    world.advance(lease_ms - 1)
    await world.store.renewWorker('alice', lease_ms)
    world.advance(1)
    expect((await world.store.reap()).map((job) => job.id)).toEqual([idOf('b')])
  })

  check('renewing all gives every claim a whole lease, also those that ran out', async (world) => {
    await world.add('a', 'b')
    await world.claim('alice')
    await world.claim('bob')
    world.advance(10 * lease_ms)
    await world.store.renewAll(lease_ms)
    world.advance(lease_ms - 1)
    expect(await world.store.reap()).toEqual([])
    world.advance(1)
    expect(await world.store.reap()).toHaveLength(2)
  })

  check('leases are still known when the queue is reopened', async (world) => {
    await world.add('a')
    await world.claim()
    await world.reopen()
    expect(await world.store.reap()).toEqual([])
    world.advance(lease_ms)
    expect(await world.store.reap()).toHaveLength(1)
  })

  check('a job in publication is not taken back when its lease ends', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim())
    await world.store.beginPublish(key, result)
    world.advance(10 * lease_ms)
    expect(await world.store.reap()).toEqual([])
    expect(await world.store.complete(key, result)).toMatchObject({ status: 'completed' })
  })

  expiryCases(check)
  lossCases(check)
  releaseCases(check)
}

/** What a claim's owner may do after its lease ran out, as long as nobody has looked. */
function expiryCases(check: Check): void {
  const steps: Record<string, (world: World, key: ClaimKey) => Promise<unknown>> = {
    renew: ({ store }, key) => store.renew(key, lease_ms),
    beginPublish: ({ store }, key) => store.beginPublish(key, result),
    complete: ({ store }, key) => store.complete(key, result),
    skip: ({ store }, key) => store.skip(key, skipped),
    fail: ({ store }, key) => store.fail(key, failure()),
    refuse: (world) => world.job('a').then((job) => refuse(world, job)),
    release: ({ store }, key) => store.release(key),
    putBack: ({ store }, key) => store.putBack(key, 0),
    yieldOutput: ({ store }, key) => store.yieldOutput(key),
  }
  for (const [name, step] of Object.entries(steps)) {
    check(`${name} is the owner's after the lease ran out, until that was looked at`, async (world) => {
      await world.add('a')
      const key = keyOf(await world.claim('alice'))
      world.advance(10 * lease_ms)
      expect(await step(world, key)).toBeTruthy()
      const untouched = name === 'yieldOutput'
      expect((await world.store.reap()).map((job) => job.attempt)).toEqual(untouched ? [1] : [])
    })

    check(
      `${name} is nobody's once the claim was taken back, though no other worker has the job yet`,
      async (world) => {
        await world.add('a')
        const claimed = await world.claim('alice')
        world.advance(lease_ms)
        const [lost] = await world.store.reap()
        expect(await step(world, keyOf(claimed))).toBeOneOf([undefined, false])
        expect(await world.job('a')).toEqual(there(lost))
        expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.outcome)).toEqual(['lost'])
      },
    )
  }

  check(
    'a request that is repeated after its lease ran out still has its job, under the lease that it had',
    async (world) => {
      await world.add('a')
      const request = { worker_id: 'alice', request_id: 'one', lease_ms }
      const first = await world.store.claim(request)
      world.advance(lease_ms)
      expect(await world.store.claim(request)).toEqual(there(first))
      expect(await world.store.reap()).toHaveLength(1)
      expect(await world.store.claim(request)).toMatchObject({ attempt: 2 })
    },
  )
}

function lossCases(check: Check): void {
  check(`a job over which ${maxLostClaims} workers in a row were lost is failed for good`, async (world) => {
    await world.add('a')
    await lose(world, maxLostClaims - 1)
    expect((await world.job('a')).status).toBe('pending')
    const [failed] = await lose(world, 1)
    expect(failed).toMatchObject({ status: 'failed', error_class: 'permanent', retry_at_ms: null })
    expect(failed?.error_message).toContain('5 workers in a row were lost')
    expect(await world.job('a')).toEqual({ ...(await world.job('a')), ...failed })
    expect((await world.store.attempts(idOf('a'))).map((attempt) => attempt.outcome)).toEqual(
      Array<'lost'>(maxLostClaims).fill('lost'),
    )
  })

  for (const [what, end] of [
    ['a failure', async (w: World) => w.store.fail(keyOf(await w.claim()), failure('broken', w.now_ms))],
    ['a completion', async (w: World) => w.store.complete(keyOf(await w.claim()), result)],
    ['a skip', async (w: World) => w.store.skip(keyOf(await w.claim()), skipped)],
  ] as const) {
    check(`${what} that a worker lived to tell ends the row of losses`, async (world) => {
      await world.add('a')
      await lose(world, maxLostClaims - 1)
      await end(world)
      await world.store.retryDue()
      await world.store.requeue(idOf('a'))
      await lose(world, maxLostClaims - 1)
      expect((await world.job('a')).status).toBe('pending')
    })
  }

  check('a job that was queued again by hand may lose as many workers again', async (world) => {
    await world.add('a')
    await lose(world, maxLostClaims)
    await world.store.retry(idOf('a'))
    await lose(world, maxLostClaims - 1)
    await world.store.cancel(idOf('a'))
    await world.store.requeue(idOf('a'))
    await lose(world, maxLostClaims - 1)
    expect((await world.job('a')).status).toBe('pending')
  })
}

function releaseCases(check: Check): void {
  check('releasing a worker gives back all that is in its name and nothing else', async (world) => {
    await world.add('done', 'a', 'b', 'c')
    await world.store.complete(keyOf(await world.claim('alice')), result)
    await world.claim('alice')
    const other = await world.claim('bob')
    await world.claim('alice')
    const released = await world.store.releaseWorker('alice')
    expect(released.map((job) => job.id).toSorted()).toEqual([idOf('a'), idOf('c')])
    expect(await world.job('a')).toMatchObject({ status: 'pending', worker_id: null, started_at: null, attempt: 1 })
    expect(await world.job('b')).toEqual(other)
    expect((await world.job('done')).status).toBe('completed')
    expect(await world.store.releaseWorker('alice')).toEqual([])
  })

  check('releasing a worker leaves a job alone whose result the master is publishing', async (world) => {
    await world.add('a')
    const key = keyOf(await world.claim('alice'))
    await world.store.beginPublish(key, result)
    expect(await world.store.releaseWorker('alice')).toEqual([])
    expect(await world.store.complete(key, result)).toMatchObject({ status: 'completed' })
  })

  check('a release costs no retry and leaves no error', async ({ store, add, claim }) => {
    await add('a')
    const released = await store.release(keyOf(await claim()))
    expect(released).toMatchObject({ status: 'pending', retry_count: 0, error_message: null, attempt: 1 })
  })
}

/** Claims and loses the only pending job so many times; what the last reap gave. */
async function lose(world: World, times: number) {
  let reaped: Awaited<ReturnType<typeof world.store.reap>> = []
  for (let count = 0; count < times; count++) {
    await world.claim(`worker-${count}`)
    world.advance(lease_ms)
    reaped = await world.store.reap()
  }
  return reaped
}
