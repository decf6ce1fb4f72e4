import { expect } from 'bun:test'
import { bringTo } from './states.ts'
import { changedSource, type Check, failure, failureReport, idOf, keyOf, result, type World } from './world.ts'

const pause_ms = 10_000

/** What becomes of failed jobs, by themselves and by hand. */
export function failureCases(check: Check): void {
  check('a failure for good keeps its reason and its class, and never comes back by itself', async (world) => {
    await world.add('a')
    const report = { ...failureReport, class: 'permanent' } as const
    const claimed = await world.claim('alice')
    const failed = await world.store.fail(keyOf(claimed), { ...failure('no video stream'), report })
    expect(failed).toEqual({
      ...claimed,
      status: 'failed',
      error_message: 'no video stream',
      error_class: 'permanent',
    })
    world.advance(1e9)
    expect(await world.store.retryDue()).toBe(0)
    expect(await world.job('a')).toMatchObject({ status: 'failed', retry_count: 0 })
  })

  check('a failure of which nothing but the message is known may be tried again', async ({ store, add, claim }) => {
    await add('a')
    const failed = await store.fail(keyOf(await claim()), { ...failure('it broke'), report: undefined })
    expect(failed).toMatchObject({ status: 'failed', error_class: 'retryable', error_message: 'it broke' })
  })

  check('a failed job goes back to pending when its pause is over, and the retry is counted', async (world) => {
    await failWithPause(world)
    expect(await world.store.totals()).toMatchObject({ by_status: { failed: 1 }, awaiting_retry: 1 })
    world.advance(pause_ms - 1)
    expect(await world.store.retryDue()).toBe(0)
    world.advance(1)
    expect(await world.store.retryDue()).toBe(1)
    expect(await world.job('a')).toMatchObject({
      status: 'pending',
      worker_id: null,
      started_at: null,
      retry_count: 1,
      retry_at_ms: null,
      error_message: 'the encoder stopped',
    })
    expect(await world.store.totals()).toMatchObject({ by_status: { pending: 1, failed: 0 }, awaiting_retry: 0 })
    expect(await world.store.retryDue()).toBe(0)
  })

  check('every automatic retry is counted, in every reopened queue', async (world) => {
    await failWithPause(world)
    for (let retry = 1; retry <= 3; retry++) {
      world.advance(pause_ms)
      await world.reopen()
      expect(await world.store.retryDue()).toBe(1)
      expect(await world.claim()).toMatchObject({ retry_count: retry, attempt: retry + 1 })
      await world.store.fail(keyOf(await world.job('a')), failure('again', world.now_ms + pause_ms))
    }
  })

  check('only the jobs whose pause is over go back', async (world) => {
    await world.add('a', 'b', 'c')
    for (const pause of [2, 1, 3])
      await world.store.fail(keyOf(await world.claim()), failure('x', world.now_ms + pause))
    world.advance(2)
    expect(await world.store.retryDue()).toBe(2)
    expect((await world.job('c')).status).toBe('failed')
  })

  check('a job that was cancelled, retried or changed in its pause does not come back a second time', async (world) => {
    await failWithPause(world)
    await world.store.cancel(idOf('a'))
    world.advance(pause_ms)
    expect(await world.store.retryDue()).toBe(0)
    expect(await world.job('a')).toMatchObject({ status: 'cancelled', retry_at_ms: null })
    await world.store.addSources([changedSource('a')])
    expect(await world.store.retryDue()).toBe(0)
    expect(await world.job('a')).toMatchObject({ status: 'pending', retry_count: 0 })
  })

  check('a retry by hand comes at once and gives all automatic retries back', async (world) => {
    await failWithPause(world)
    world.advance(pause_ms)
    await world.store.retryDue()
    await world.store.fail(keyOf(await world.claim()), failure('again', world.now_ms + pause_ms))
    expect(await world.store.retry(idOf('a'))).toMatchObject({
      status: 'pending',
      retry_count: 0,
      retry_at_ms: null,
      error_message: null,
      error_class: null,
      attempt: 2,
    })
    world.advance(pause_ms)
    expect(await world.store.retryDue()).toBe(0)
  })

  check('a completed retry leaves no trace of the failure on the job', async (world) => {
    await failWithPause(world)
    world.advance(pause_ms)
    await world.store.retryDue()
    const completed = await world.store.complete(keyOf(await world.claim()), result)
    expect(completed).toMatchObject({ error_message: null, error_class: null, retry_at_ms: null, retry_count: 1 })
  })

  manyCases(check)
}

function manyCases(check: Check): void {
  check('retrying the failed jobs takes the oldest first, as many as asked for', async (world) => {
    for (const name of ['old', 'older than young', 'young', 'fine']) {
      await world.add(name)
      world.advance(1)
    }
    for (const state of ['failed', 'failed', 'failed', 'completed'] as const) {
      const name = (await world.store.jobs({ status: 'pending', limit: 1 })).jobs[0]?.source_path.slice(4, -4) ?? ''
      await bringTo(world, name, state)
    }
    expect(await world.store.retryFailed(2)).toBe(2)
    expect((await world.job('old')).status).toBe('pending')
    expect((await world.job('older than young')).status).toBe('pending')
    expect((await world.job('young')).status).toBe('failed')
    expect(await world.store.retryFailed(100)).toBe(1)
    expect(await world.store.retryFailed(100)).toBe(0)
    expect((await world.store.totals()).by_status).toMatchObject({ pending: 3, completed: 1, failed: 0 })
  })

  check('retrying the failed jobs takes those along that wait for their own retry', async (world) => {
    await failWithPause(world)
    expect(await world.store.retryFailed(100)).toBe(1)
    expect(await world.job('a')).toMatchObject({ status: 'pending', retry_at_ms: null, retry_count: 0 })
  })

  check('failures are told by message, the most frequent first, as many as asked for', async (world) => {
    const messages = ['disk full', 'no video stream', 'truncated', 'no video stream', 'disk full', 'no video stream']
    await world.add(...messages.map((_, index) => `${index}`), 'fine')
    for (const [index, message] of messages.entries()) {
      await world.store.fail(keyOf(await world.claim(`worker-${index}`)), failure(message))
    }
    expect(await world.store.failures(2)).toEqual([
      { error_message: 'no video stream', count: 3 },
      { error_message: 'disk full', count: 2 },
    ])
    await world.store.retry(idOf('1'))
    await world.store.cancel(idOf('3'))
    expect(await world.store.failures(10)).toEqual([
      { error_message: 'disk full', count: 2 },
      { error_message: 'no video stream', count: 1 },
      { error_message: 'truncated', count: 1 },
    ])
  })
}

/** Adds a job and fails its first attempt, to be tried again after the pause. */
async function failWithPause(world: World): Promise<void> {
  await world.add('a')
  await world.store.fail(keyOf(await world.claim()), failure('the encoder stopped', world.now_ms + pause_ms))
}
