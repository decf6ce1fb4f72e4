import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { executable } from '../support/program.ts'
import { faultsNamed, runChaos } from './chaos.ts'

/** A few of the faults, those that take no rights; `bun run chaos` does them all, for as long as is wanted. */
const faults = faultsNamed(['kill-worker@encoding', 'kill-master@publishing', 'freeze-worker', 'source-changed'])

test('a master and three workers that are killed, frozen and given other sources lose nothing, do nothing twice and leave nothing', async () => {
  const logs = mkdtempSync(join(tmpdir(), 'darkstream-chaos-logs-'))
  const said: string[] = []
  const { violations, rows } = await runChaos({
    seed: 4,
    executable,
    faults,
    goesOn: (rounds) => rounds < faults.length,
    is_plain: true,
    // Before the test's own limit, which would take nothing down.
    signal: AbortSignal.timeout(280_000),
    say: (line) => said.push(line),
    logs,
  })
  if (violations.length > 0) console.log([...said, `logs in ${logs}`].join('\n'))
  expect(violations).toEqual([])
  for (const { fault, injected } of rows)
    expect({ fault, wasInjected: injected > 0 }).toEqual({ fault, wasInjected: true })
  rmSync(logs, { recursive: true })
}, 300_000)
