import { expect } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import { heard } from './heard.ts'
import {
  changedSource,
  type Check,
  failure,
  failureReport,
  idOf,
  keyOf,
  lease_ms,
  result,
  skipped,
  type World,
} from './world.ts'

const pause_ms = 10_000

/** What becomes of a job that a worker cannot do. */
export function refusalCases(check: Check): void {
  check(
    'what a worker cannot do is pending at once for another, keeps its reason and costs no retry',
    async (world) => {
      await world.add('a')
      await heard(world, 'bob')
      expect(await refuse(world, await world.claim('alice'))).toMatchObject({
        status: 'pending',
        worker_id: null,
        started_at: null,
        error_message: 'no such encoder',
        error_class: 'worker',
        retry_at_ms: null,
        retry_count: 0,
      })
      expect((await world.store.totals()).by_status).toMatchObject({ pending: 1, failed: 0 })
      expect(await world.store.attempts(idOf('a'))).toMatchObject([
        { worker_id: 'alice', outcome: 'failed', error_class: 'worker', error_message: 'no such encoder' },
      ])
      expect(await world.claim('bob')).toMatchObject({ id: idOf('a'), attempt: 2, error_message: null })
    },
  )

  check('the worker that refused a job does not get it again, with a request id or without', async (world) => {
    await world.add('a', 'b')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    await world.reopen()
    expect((await world.claim('alice')).id).toBe(idOf('b'))
    expect(await asked(world, 'alice')).toBeUndefined()
    expect(await world.store.claim({ worker_id: 'alice', request_id: null, lease_ms })).toBeUndefined()
    expect((await world.claim('carol')).id).toBe(idOf('a'))
  })

  check(
    'it stays refused when another worker gives it back, is lost over it, or fails it for a while',
    async (world) => {
      await world.add('a')
      await heard(world, 'bob')
      await refuse(world, await world.claim('alice'))
      await world.store.release(keyOf(await world.claim('bob')))
      expect(await asked(world, 'alice')).toBeUndefined()
      await world.claim('bob')
      world.advance(lease_ms)
      await world.store.reap()
      expect(await asked(world, 'alice')).toBeUndefined()
      await world.store.fail(keyOf(await world.claim('bob')), failure('it hung', world.now_ms))
      await world.store.retryDue()
      expect(await asked(world, 'alice')).toBeUndefined()
      expect((await world.claim('bob')).id).toBe(idOf('a'))
    },
  )

  check('the third distinct worker that cannot do a job ends it for good, with all three named', async (world) => {
    await world.add('a')
    await heard(world, 'alice', 'bob', 'carol', 'dave')
    for (const worker_id of ['alice', 'bob']) {
      expect(await refuse(world, await world.claim(worker_id))).toMatchObject({ status: 'pending' })
    }
    expect(await refuse(world, await world.claim('carol'), 'its disk is full')).toMatchObject({
      status: 'failed',
      worker_id: 'carol',
      retry_at_ms: null,
      error_message: '3 workers failed it (alice, bob, carol), the last: its disk is full',
      error_class: 'worker',
    })
    expect(await asked(world, 'dave')).toBeUndefined()
  })

  lonelyCases(check)
  afreshCases(check)
  orderCases(check)
  strandCases(check)
}

function lonelyCases(check: Check): void {
  const lonely: Record<string, (world: World) => Promise<void>> = {
    'nobody else was ever heard from': async () => {},
    'the others were not heard from for too long': async (world) => {
      await heard(world, 'bob')
      world.advance(lease_ms)
    },
    'the other one has left': async (world) => {
      await heard(world, 'bob')
      await world.store.markOffline('bob')
    },
  }
  for (const [what, prepare] of Object.entries(lonely)) {
    check(`where ${what}, a refused job waits for its retry and is its worker's again`, async (world) => {
      await world.add('a')
      await prepare(world)
      await heard(world, 'alice')
      expect(await refuse(world, await world.claim('alice'))).toMatchObject({
        status: 'failed',
        error_message: 'no other worker is there to try: no such encoder',
        retry_at_ms: world.now_ms + pause_ms,
      })
      world.advance(pause_ms)
      expect(await world.store.retryDue()).toBe(1)
      expect(await world.claim('alice')).toMatchObject({ id: idOf('a'), retry_count: 1 })
    })
  }

  check('a job that both of two workers cannot do is tried by either until its retries are used up', async (world) => {
    await world.add('a')
    await heard(world, 'alice', 'bob')
    await refuse(world, await world.claim('alice'))
    for (const worker_id of ['bob', 'bob', 'alice']) {
      const refused = await refuse(world, await world.claim(worker_id))
      expect(refused).toMatchObject({ status: 'failed', retry_at_ms: world.now_ms + pause_ms })
      world.advance(pause_ms)
      await world.store.retryDue()
    }
    const claimed = await world.claim('bob')
    expect(claimed.retry_count).toBe(3)
    expect(await refuse(world, claimed, 'no such encoder', null)).toMatchObject({ status: 'failed', retry_at_ms: null })
  })

  check('a failure that may pass is no refusal: its worker may try again', async (world) => {
    await world.add('a')
    await heard(world, 'alice', 'bob')
    await world.store.fail(keyOf(await world.claim('alice')), failure('it hung', world.now_ms))
    await world.store.retryDue()
    expect((await world.claim('alice')).id).toBe(idOf('a'))
  })
}

function afreshCases(check: Check): void {
  const ways: Record<string, (world: World) => Promise<unknown>> = {
    'cancelled and retried by hand': async ({ store }) => [await store.cancel(idOf('a')), await store.retry(idOf('a'))],
    'cancelled and requeued': async ({ store }) => [await store.cancel(idOf('a')), await store.requeue(idOf('a'))],
    changed: ({ store }) => store.addSources([changedSource('a')]),
    'done by another and requeued': async (world) => {
      await world.store.complete(keyOf(await world.claim('bob')), result)
      await world.store.requeue(idOf('a'))
    },
    'skipped by another and requeued': async (world) => {
      await world.store.skip(keyOf(await world.claim('bob')), skipped)
      await world.store.requeue(idOf('a'))
    },
    'failed by another and retried with all that failed': async (world) => {
      await world.store.fail(keyOf(await world.claim('bob')), failure())
      await world.store.retryFailed(10)
    },
  }
  for (const [what, act] of Object.entries(ways)) {
    check(`a refused job that is ${what} is anybody's, and takes three refusals again`, async (world) => {
      await world.add('a')
      await heard(world, 'alice', 'bob', 'carol')
      await refuse(world, await world.claim('alice'))
      await act(world)
      for (const worker_id of ['alice', 'carol']) {
        expect(await refuse(world, await world.claim(worker_id))).toMatchObject({ status: 'pending' })
      }
    })
  }
}

function orderCases(check: Check): void {
  check('a refused job keeps its turn among all others', async (world) => {
    await world.add('old')
    world.advance(1)
    await world.add('a', 'b')
    world.advance(1)
    await world.add('young', 'urgent')
    await world.store.prioritize(idOf('urgent'), 10)
    await heard(world, 'alice', 'bob', 'carol')
    const taken = [await world.claim('alice'), await world.claim('alice'), await world.claim('alice')]
    expect(taken.map((job) => job.id)).toEqual(['urgent', 'old', 'a'].map(idOf))
    for (const job of taken) await refuse(world, job)
    await refuse(world, await world.claim('bob'))
    const order = [await world.claim('carol'), await world.claim('bob'), await world.claim('carol')]
    expect(order.map((job) => job.id)).toEqual(['urgent', 'old', 'a'].map(idOf))
    const left = [await world.claim('alice'), await world.claim('alice')]
    expect(left.map((job) => job.id)).toEqual(['b', 'young'].map(idOf))
  })

  check('a refused job that was given back with a pause is passed over until the pause is over', async (world) => {
    await world.add('a', 'b')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    await world.store.release(keyOf(await world.claim('bob')), world.now_ms + pause_ms)
    expect((await world.claim('bob')).id).toBe(idOf('b'))
    expect(await asked(world, 'bob')).toBeUndefined()
    world.advance(pause_ms)
    expect((await world.claim('bob')).id).toBe(idOf('a'))
  })

  check('ids with quotes, commas and brackets refuse for themselves and for nobody else', async (world) => {
    const ids = ['"', '["alice"]', 'alice"', "o'hara", 'a,b', '%']
    await heard(world, 'alice')
    for (const [index, worker_id] of ids.entries()) {
      await world.add(`${index}`)
      await refuse(world, await world.claim(worker_id))
      expect(await asked(world, worker_id)).toBeUndefined()
      expect((await world.claim('alice')).id).toBe(idOf(`${index}`))
    }
  })
}

/** Workers are there for a lease; an offer stands for a lease at least and ten at most. */
function since({ now_ms }: World) {
  return {
    heard_since_ms: now_ms - lease_ms,
    settled_before_ms: now_ms - lease_ms,
    overdue_before_ms: now_ms - 10 * lease_ms,
  }
}

function strandCases(check: Check): void {
  const ended = { error_message: 'no other worker took it', retry_at_ms: null }

  check('an offer is stranded once nobody is left that may take it, but not before it stood a while', async (world) => {
    await world.add('a', 'free')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    expect(await world.store.stranded(since(world))).toEqual([])
    world.advance(lease_ms - 1)
    await world.store.markOffline('bob')
    expect(await world.store.stranded(since(world))).toEqual([])
    world.advance(1)
    await heard(world, 'alice')
    expect(await world.store.stranded(since(world))).toEqual([idOf('a')])
    await heard(world, 'carol')
    expect(await world.store.stranded(since(world))).toEqual([])
  })

  check('an offer that stood for too long is stranded whoever is there', async (world) => {
    await world.add('a')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    world.advance(10 * lease_ms)
    await heard(world, 'bob')
    expect(await world.store.stranded(since(world))).toEqual([idOf('a')])
  })

  check("a stranded job fails with its pause, and is anybody's then", async (world) => {
    await world.add('a')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    const failed = await world.store.strand(idOf('a'), { ...ended, retry_at_ms: world.now_ms })
    expect(failed).toMatchObject({ status: 'failed', ...ended, retry_at_ms: world.now_ms, error_class: 'worker' })
    expect(await world.store.strand(idOf('a'), ended)).toBeUndefined()
    await world.store.retryDue()
    expect(await world.claim('alice')).toMatchObject({ id: idOf('a'), retry_count: 1 })
  })

  check('what another worker has taken, and what nobody refused, is not stranded', async (world) => {
    await world.add('a', 'b')
    await heard(world, 'bob')
    await refuse(world, await world.claim('alice'))
    const taken = await world.claim('bob')
    world.advance(20 * lease_ms)
    expect(await world.store.stranded(since(world))).toEqual([])
    expect(await world.store.strand(idOf('a'), ended)).toBeUndefined()
    expect(await world.store.strand(idOf('b'), ended)).toBeUndefined()
    expect(await world.job('a')).toEqual(taken)
  })
}

/** Fails a claim as one that its worker cannot do; others that were heard from within a lease are there. */
export function refuse(
  { store, now_ms }: World,
  claimed: Job,
  reason = 'no such encoder',
  retry_at_ms: number | null = now_ms + pause_ms,
): Promise<Job | undefined> {
  const report = { ...failureReport, class: 'worker' } as const
  return store.fail(keyOf(claimed), { ...failure(reason, retry_at_ms), report, heard_since_ms: now_ms - lease_ms })
}

/** What a worker that asks gets. */
export function asked({ store }: World, worker_id: string): Promise<Job | undefined> {
  return store.claim({ worker_id, request_id: crypto.randomUUID(), lease_ms })
}
