import { expect, test } from 'bun:test'
import { Pace } from '../../../src/worker/transfer/pace.ts'
import { reason } from '../../support/reason.ts'

const never = new AbortController().signal

test('without a limit nothing waits and no request is cut', async () => {
  const pace = new Pace(null)
  expect(pace.pieceBytes).toBeNull()
  await pace.take(1e12, never)
})

test('what comes later waits behind what came before, and a signal ends the waiting with its reason', async () => {
  const pace = new Pace(8_000_000, () => 0)
  expect(pace.pieceBytes).toBe(500_000)
  await pace.take(1_000_000_000, never)
  const stopping = new AbortController()
  const waiting = pace.take(1, stopping.signal)
  stopping.abort(new Error('stop'))
  expect(await reason(waiting)).toContain('stop')
})

test('a narrow line is asked for pieces that are worth a request', () => {
  expect(new Pace(64_000).pieceBytes).toBe(16_384)
})
