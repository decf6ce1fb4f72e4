import { expect, test } from 'bun:test'
import { Hono } from 'hono'
import { Doorkeeper } from '../../src/api/doorkeeper.ts'
import { RateLimit } from '../../src/api/rate-limit.ts'
import type { Operation } from '../../src/contract/routes.ts'
import { createLog } from '../../src/util/log.ts'

const quietLog = createLog({ level: 'error', format: 'text', output_path: null })

test('a burst is let through, then so many a second, each caller for itself', () => {
  let now = 0
  const limit = new RateLimit({ burst: 3, per_second: 2 }, () => now)
  expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([0, 0, 0, 1])
  expect(limit.take('b')).toBe(0)
  now = 500
  expect([1, 2].map(() => limit.take('a'))).toEqual([0, 1])
  now = 1_000_000
  expect([1, 2, 3, 4].map(() => limit.take('a'))).toEqual([0, 0, 0, 1])
})

test('callers without number take no memory without bound', () => {
  const limit = new RateLimit({ burst: 1, per_second: 1 }, () => 0)
  limit.take('first')
  for (let caller = 0; caller < 10_000; caller++) limit.take(String(caller))
  expect(limit.take('first')).toBe(0)
})

/** Admits requests of one token at one instant; how many of so many were let in. */
async function admitted(operation: Operation, requests: number): Promise<number> {
  const keeper = new Doorkeeper(
    async () => ({ id: 'one', role: 'admin' }),
    quietLog,
    () => 0,
  )
  const app = new Hono()
  app.all('/', async (c) => {
    await keeper.admit(c, operation)
    return c.body(null, 204)
  })
  app.onError((_, c) => c.body(null, 429))
  const headers = { Authorization: 'Bearer token' }
  const answers = await Promise.all(Array.from({ length: requests }, async () => app.request('/', { headers })))
  return answers.filter(({ status }) => status === 204).length
}

test('people are held back at some hundred requests, workers that ask for work at some thousand', async () => {
  expect(await admitted('jobs', 300)).toBe(200)
  expect(await admitted('claim', 3000)).toBe(2000)
})

test.each(['heartbeat', 'reportProgress', 'complete', 'fail', 'skip', 'release', 'register', 'leave'] as const)(
  '%s is never held back',
  async (operation) => expect(await admitted(operation, 5000)).toBe(5000),
)

test('who guesses tokens is held back, by address', async () => {
  const keeper = new Doorkeeper(
    async () => undefined,
    quietLog,
    () => 0,
  )
  const app = new Hono()
  app.all('/', async (c) => {
    await keeper.admit(c, 'status')
    return c.body(null, 204)
  })
  app.onError((error, c) => c.text((error as unknown as { code: string }).code))
  const guess = async (address: string) => {
    const headers = { Authorization: 'Bearer guess' }
    return (await app.request('/', { headers }, { address })).text()
  }
  const answers = await Promise.all(Array.from({ length: 60 }, () => guess('10.0.0.1')))
  expect(answers.filter((code) => code === 'unauthorized')).toHaveLength(50)
  expect(answers.at(-1)).toBe('too_many_requests')
  expect(await guess('10.0.0.2')).toBe('unauthorized')
})
