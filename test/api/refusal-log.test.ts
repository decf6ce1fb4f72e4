import { expect, test } from 'bun:test'
import { createApp } from '../../src/api/server.ts'
import { RefusalLog } from '../../src/api/refusal-log.ts'
import { createLog } from '../../src/util/log.ts'
import { openMaster } from '../support/master.ts'

/** A log and the lines that it has. */
function linesLog() {
  const lines: string[] = []
  const write = (line: string) => void lines.push(line.trimEnd())
  return { log: createLog({ level: 'warn', format: 'text', output_path: null, write }), lines }
}

test('the first call of an address is told of at once, those after it once a minute', () => {
  const { log, lines } = linesLog()
  let now = 0
  const refusals = new RefusalLog(log, () => now)
  for (const address of ['10.0.0.1', '10.0.0.1', '10.0.0.2', '10.0.0.1']) refusals.note(address)
  expect(lines).toHaveLength(2)
  now = 60_000
  refusals.note('10.0.0.1')
  expect(lines.at(-1)).toContain(
    'a call from 10.0.0.1 with a token that does not hold, 2 more since this was told last',
  )
  now = 200_000
  refusals.note('10.0.0.1')
  expect(lines.at(-1)).toEndWith('a token that does not hold')
})

test('addresses without number take no memory without bound', () => {
  const { log, lines } = linesLog()
  const refusals = new RefusalLog(log, () => 0)
  for (let host = 0; host < 1001; host++) refusals.note(`10.0.${host >> 8}.${host & 255}`)
  refusals.note('10.0.0.0')
  expect(lines).toHaveLength(1002)
})

test('a call with a wrong token is in the master’s log by its address and without the token; one without any is not', async () => {
  const { log, lines } = linesLog()
  const app = createApp({ ...openMaster().coordinator, version: 'test', log, guard: async () => undefined })
  const call = (headers: Record<string, string>) => app.request('/api/status', { headers }, { address: '10.0.0.7' })
  expect((await call({})).status).toBe(401)
  expect(lines).toEqual([])
  expect((await call({ Authorization: 'Bearer dsw_guessed' })).status).toBe(401)
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('10.0.0.7')
  expect(lines[0]).not.toContain('guessed')
})
