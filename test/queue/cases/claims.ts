import { expect } from 'bun:test'
import { type Check, changedSource, failure, idOf, keyOf, lease_ms, result, source, there } from './world.ts'

/** Who gets which job, and under which number. */
export function claimCases(check: Check): void {
  check('a claim of an empty queue gets nothing', async ({ store }) => {
    expect(await store.claim({ worker_id: 'alice', request_id: null, lease_ms })).toBeUndefined()
    expect(await store.job('no such job')).toBeUndefined()
  })

  check('a claim says who works on the job since when, under the first number', async (world) => {
    await world.add('a')
    const pending = await world.job('a')
    world.advance(5000)
    const claimed = await world.claim('alice')
    const taken = { status: 'processing', worker_id: 'alice', started_at: world.now, attempt: 1 } as const
    expect(claimed).toEqual({ ...pending, ...taken })
    expect(await world.job('a')).toEqual(claimed)
  })

  check('a claim clears what the last attempt left behind', async (world) => {
    await world.add('a')
    await world.store.fail(keyOf(await world.claim()), failure('broken', world.now_ms))
    await world.store.retryDue()
    expect(await world.claim('bob')).toMatchObject({ error_message: null, error_class: null, retry_at_ms: null })
  })

  orderCases(check)
  requestCases(check)
  numberCases(check)
  publishedCases(check)
}

function orderCases(check: Check): void {
  check('jobs of one batch are claimed in the order in which they were added', async ({ add, claim }) => {
    await add('c', 'a', 'b')
    expect([(await claim()).id, (await claim()).id, (await claim()).id]).toEqual([idOf('c'), idOf('a'), idOf('b')])
  })

  check('the higher priority is claimed first, then the older job, then the one added first', async (world) => {
    await world.add('old', 'old too')
    world.advance(1)
    await world.add('young', 'urgent', 'idle', 'urgent too')
    await world.store.prioritize(idOf('urgent'), 10)
    await world.store.prioritize(idOf('urgent too'), 10)
    await world.store.prioritize(idOf('idle'), 0)
    const order: string[] = []
    for (let count = 0; count < 6; count++) order.push((await world.claim()).id)
    expect(order).toEqual(['urgent', 'urgent too', 'old', 'old too', 'young', 'idle'].map(idOf))
  })

  check('a job that was given back is the next again', async ({ store, add, claim }) => {
    await add('a', 'b')
    await store.release(keyOf(await claim()))
    expect((await claim()).id).toBe(idOf('a'))
  })

  check('a job that was given back with a pause is passed over until the pause is over', async (world) => {
    await world.add('a', 'b')
    await world.store.release(keyOf(await world.claim()), world.now_ms + 10_000)
    expect((await world.claim()).id).toBe(idOf('b'))
    world.advance(9999)
    expect(await world.store.claim({ worker_id: 'alice', request_id: null, lease_ms })).toBeUndefined()
    world.advance(1)
    expect((await world.claim()).id).toBe(idOf('a'))
  })

  check('of many claims at once no two get the same job', async ({ store, add }) => {
    await add(...Array.from({ length: 40 }, (_, index) => `film ${index}`))
    const claims = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        store.claim({ worker_id: `worker-${index % 7}`, request_id: index % 2 ? `${index}` : null, lease_ms }),
      ),
    )
    const ids = claims.flatMap((job) => job?.id ?? [])
    expect(ids).toHaveLength(40)
    expect(new Set(ids).size).toBe(40)
  })
}

function requestCases(check: Check): void {
  const request = { worker_id: 'alice', request_id: 'one', lease_ms }

  check('a repeated request gets the same job under the same number while it runs', async (world) => {
    await world.add('a', 'b')
    const first = await world.store.claim(request)
    world.advance(1000)
    expect(await world.store.claim(request)).toEqual(there(first))
    expect((await world.store.totals()).by_status).toMatchObject({ processing: 1, pending: 1 })
  })

  check('a request that was answered gets another job once that one has ended', async ({ store, add }) => {
    await add('a', 'b')
    await store.complete(keyOf(there(await store.claim(request))), result)
    expect((await store.claim(request))?.id).toBe(idOf('b'))
  })

  check('a request gets its job anew, under a new number, after the job was given back', async ({ store, add }) => {
    await add('a')
    await store.release(keyOf(there(await store.claim(request))))
    expect(await store.claim(request)).toMatchObject({ id: idOf('a'), attempt: 2 })
  })

  check('the same request of another worker is another request', async ({ store, add }) => {
    await add('a', 'b')
    await store.claim(request)
    expect(await store.claim({ ...request, worker_id: 'bob' })).toMatchObject({ id: idOf('b'), worker_id: 'bob' })
  })

  check('claims without a request never repeat', async ({ store, add }) => {
    await add('a', 'b')
    await store.claim({ ...request, request_id: null })
    expect((await store.claim({ ...request, request_id: null }))?.id).toBe(idOf('b'))
  })
}

function numberCases(check: Check): void {
  check(
    'attempt numbers only grow, whatever brought the job back and however often the queue is reopened',
    async (w) => {
      await w.add('a')
      const { id } = await w.job('a')
      const waysBack = [
        async () => w.store.release(keyOf(await w.job('a'))),
        async () => w.store.releaseWorker('alice'),
        async () => {
          w.advance(lease_ms)
          await w.store.reap()
        },
        async () => {
          await w.store.fail(keyOf(await w.job('a')), failure('broken', w.now_ms))
          await w.store.retryDue()
        },
        async () => {
          await w.store.fail(keyOf(await w.job('a')), failure())
          await w.store.retry(id)
        },
        async () => {
          await w.store.complete(keyOf(await w.job('a')), result)
          await w.store.requeue(id)
        },
        async () => {
          await w.store.cancel(id)
          await w.store.retryFailed(1)
          await w.store.retry(id)
        },
        async () => {
          await w.store.complete(keyOf(await w.job('a')), result)
          await w.store.addSources([changedSource('a')])
        },
      ]
      const numbers: number[] = []
      for (const bringBack of waysBack) {
        numbers.push((await w.claim()).attempt)
        await bringBack()
        await w.reopen()
      }
      numbers.push((await w.claim()).attempt)
      expect(numbers).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    },
  )

  check('a claim that was not ended is still running when the queue is reopened', async (world) => {
    await world.add('a')
    const claimed = await world.claim()
    await world.reopen()
    expect(await world.job('a')).toEqual(claimed)
    expect(await world.store.complete(keyOf(claimed), result)).toMatchObject({ status: 'completed', attempt: 1 })
  })
}

function publishedCases(check: Check): void {
  const nothing = { published_size: null, published_mtime_ms: null, publish_size: null }

  check('an output holds nothing of ours until a publication is complete', async ({ store, add, claim }) => {
    await add('a')
    const key = keyOf(await claim())
    expect(await store.publication(idOf('a'))).toEqual(nothing)
    await store.beginPublish(key, result)
    expect(await store.publication(idOf('a'))).toEqual({ ...nothing, publish_size: 400 })
    await store.abandonPublish(key)
    expect(await store.publication(idOf('a'))).toEqual(nothing)
  })

  check('a result of ours is known by its size and time, whatever becomes of the job', async (world) => {
    await world.add('a')
    await world.store.complete(keyOf(await world.claim()), result)
    await world.store.requeue(idOf('a'))
    await world.store.addSources([changedSource('a')])
    await world.reopen()
    const known = { ...nothing, published_size: 400, published_mtime_ms: 1_700_000_000_000 }
    expect(await world.store.publication(idOf('a'))).toEqual(known)
  })

  check('where a foreign worker may write, whatever lies there is ours', async ({ store, add }) => {
    await add('a')
    const claimed = there(await store.claim({ worker_id: 'foreign', request_id: null, lease_ms }))
    expect(await store.yieldOutput({ ...keyOf(claimed), worker_id: 'another' })).toBe(false)
    expect(await store.yieldOutput(keyOf(claimed))).toBe(true)
    await store.release(keyOf(claimed))
    expect(await store.publication(idOf('a'))).toEqual({ ...nothing, published_size: -1 })
  })

  check('an unknown job has published nothing', async ({ store }) => {
    await store.addSources([source('a')])
    expect(await store.publication('no such job')).toBeUndefined()
  })
}
