import { expect } from 'bun:test'
import type { Job } from '../../../src/contract/job.ts'
import type { Store, Totals } from '../../../src/queue/store.ts'
import { type Check, failure, idOf, keyOf, lease_ms, result, skipped, source, there, type World } from './world.ts'

/** The counters by state, against the jobs themselves. */
export function totalsCases(check: Check): void {
  check('the totals of an empty queue are all zero', async ({ store }) => {
    expect(await store.totals()).toEqual(recount([]))
  })

  check('the totals tell what is left, what waits for its retry, and what was gained', async (world) => {
    await world.add('done', 'failed', 'waiting', 'skipped', 'running', 'pending', 'stopped')
    await world.store.complete(keyOf(await world.claim()), result)
    await world.store.fail(keyOf(await world.claim()), failure())
    await world.store.fail(keyOf(await world.claim()), failure('again', world.now_ms + 1))
    await world.store.skip(keyOf(await world.claim()), skipped)
    await world.claim()
    await world.store.cancel(idOf('stopped'))
    expect(await world.store.totals()).toEqual({
      by_status: { pending: 1, processing: 1, completed: 1, failed: 2, cancelled: 1, skipped: 1 },
      awaiting_retry: 1,
      remaining_source_bytes: 3000,
      completed_source_bytes: 1000,
      completed_output_bytes: 400,
      kept_original_bytes: 0,
    })
  })

  for (const seed of [1, 2, 3]) {
    check(`the totals are those of a recount after any sequence of acts (${seed})`, async (world) => {
      const random = seededRandom(seed)
      const pick = <T>(list: readonly T[]) => there(list[Math.floor(random() * list.length)])
      const numbers = new Map<string, number>()
      for (let count = 0; count < 150; count++) {
        await pick(acts)(world, pick(names), random)
        for (const job of (await world.store.jobs({ limit: 100 })).jobs) {
          expect(job.attempt).toBeGreaterThanOrEqual(numbers.get(job.id) ?? 0)
          numbers.set(job.id, job.attempt)
        }
        expect(await world.store.totals()).toEqual(recount((await world.store.jobs({ limit: 100 })).jobs))
      }
      const before = await world.store.totals()
      await world.reopen()
      expect(await world.store.totals()).toEqual(before)
    })
  }
}

const names = Array.from({ length: 12 }, (_, index) => `film ${index}`)

type RandomAct = (world: World, name: string, random: () => number) => Promise<unknown>

/** One act each on some job, allowed or not; claiming and scanning twice as often as the rest. */
const acts: readonly RandomAct[] = [
  scan,
  scan,
  claim,
  claim,
  async ({ store }, name, random) =>
    store.complete(await newestClaim(store, name), {
      ...result,
      output_size: Math.floor(random() * 500),
      published: null,
    }),
  async ({ store }, name) => store.skip(await newestClaim(store, name), skipped),
  async ({ store, now_ms }, name, random) =>
    store.fail(await newestClaim(store, name), failure('x', random() < 0.5 ? null : now_ms + 1000)),
  async ({ store }, name) => store.release(await newestClaim(store, name)),
  async ({ store }, name) => store.beginPublish(await newestClaim(store, name), result),
  ({ store }, name) => store.retry(idOf(name)),
  ({ store }, name) => store.requeue(idOf(name)),
  ({ store }, name) => store.cancel(idOf(name)),
  ({ store }, name) => store.prioritize(idOf(name), 7),
  ({ store }, name, random) =>
    store.updateSource(idOf(name), { source_size: Math.floor(random() * 5000), source_mtime_ms: 1 }),
  ({ store }, name) => store.forgetSource(idOf(name)),
  ({ store }) => store.retryFailed(2),
  ({ store }) => store.retryDue(),
  ({ store }) => store.reap(),
  ({ store }) => store.releaseWorker('alice'),
  async ({ advance }, _, random) => advance(Math.floor(random() * lease_ms)),
]

function scan({ store }: World, name: string, random: () => number) {
  return store.addSources([
    source(name, {
      source_size: Math.floor(random() * 5000),
      problem: random() < 0.1 ? 'it is not a file' : null,
    }),
  ])
}

function claim({ store }: World, _: string, random: () => number) {
  return store.claim({ worker_id: random() < 0.5 ? 'alice' : 'bob', request_id: null, lease_ms })
}

async function newestClaim(store: Store, name: string) {
  const job = await store.job(idOf(name))
  return job ? keyOf(job) : { job_id: idOf(name), worker_id: 'alice' }
}

/** The totals of these jobs, counted one by one. */
export function recount(jobs: readonly Job[]): Totals {
  const of = (...states: Job['status'][]) => jobs.filter((job) => states.includes(job.status))
  const waiting = jobs.filter((job) => job.status === 'failed' && job.retry_at_ms !== null)
  return {
    by_status: {
      pending: of('pending').length,
      processing: of('processing').length,
      completed: of('completed').length,
      failed: of('failed').length,
      cancelled: of('cancelled').length,
      skipped: of('skipped').length,
    },
    awaiting_retry: waiting.length,
    remaining_source_bytes: sourceBytes([...of('pending', 'processing'), ...waiting]),
    completed_source_bytes: sourceBytes(of('completed')),
    completed_output_bytes: of('completed').reduce((sum, job) => sum + (job.output_size ?? 0), 0),
    kept_original_bytes: 0,
  }
}

function sourceBytes(jobs: readonly Job[]): number {
  return jobs.reduce((sum, job) => sum + (job.source_size ?? 0), 0)
}

/** Mulberry32: the same numbers from 0 to 1 for the same seed. */
function seededRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
