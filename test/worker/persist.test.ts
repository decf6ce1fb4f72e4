import { expect, test } from 'bun:test'
import { DarkstreamError } from '../../src/contract/error.ts'
import { createLog } from '../../src/util/log.ts'
import { persist } from '../../src/worker/persist.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })
const away = () => Promise.reject(new DarkstreamError('unreachable', 'away'))
const long = 3_600_000
const mayPass = (error: unknown) => error instanceof DarkstreamError && error.code !== 'conflict'

test('a worker that is told to end in a long pause tries once more at once, and gives up when its patience is over', async () => {
  const draining = new AbortController()
  let tries = 0
  const say = () => {
    if (tries++ === 0) setTimeout(() => draining.abort(), 0)
    return away()
  }
  const { signal } = new AbortController()
  const options = { first_pause_ms: long, log, what: 'speak', signal, draining: draining.signal, drain_patience_ms: 20 }
  expect(await persist(say, options).catch((error: unknown) => error)).toMatchObject({ message: 'away' })
  expect(tries).toBeGreaterThanOrEqual(3)
})

test('a signal ends it in the middle of a pause', async () => {
  const stopping = new AbortController()
  const say = () => {
    setTimeout(() => stopping.abort(new Error('stop')), 0)
    return away()
  }
  const options = { first_pause_ms: long, log, what: 'speak', signal: stopping.signal }
  expect(await persist(say, options).catch((error: unknown) => error)).toMatchObject({ message: 'stop' })
})

test('what may pass is for the caller to say', async () => {
  let tries = 0
  const refuse = () => Promise.reject(new DarkstreamError(tries++ < 2 ? 'method_not_allowed' : 'conflict', 'no'))
  const options = { first_pause_ms: 1, log, what: 'speak', signal: new AbortController().signal }
  expect(await persist(refuse, { ...options, mayPass }).catch((error: unknown) => error)).toMatchObject({
    code: 'conflict',
  })
  expect(tries).toBe(3)
})

test('the log has each reason once, also when another takes its place', async () => {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line.replace(/^\S+ WARN +/, '').trim())
  const told = createLog({ level: 'warn', format: 'text', output_path: null, write })
  const reasons = ['away', 'away', 'cut at byte 10', 'cut at byte 20', 'the disk is full']
  const say = async () => {
    const why = reasons.shift()
    if (why !== undefined) throw new DarkstreamError('unavailable', why)
  }
  await persist(say, { first_pause_ms: 1, log: told, what: 'speak', signal: new AbortController().signal })
  expect(lines).toEqual(
    ['away', 'cut at byte 10', 'the disk is full'].map((why) => `cannot speak, will go on trying: ${why}`),
  )
})
