import { join } from 'node:path'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { freshExecutable } from './build.ts'
import { faultsNamed, runChaos } from './chaos.ts'
import { tableText } from './table.ts'

/** `bun run chaos [--seed S] [--minutes M] [--faults a,b] [--rounds N] [--plain] [--executable FILE] [--logs FOLDER]` */
const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    minutes: { type: 'string', default: '2' },
    rounds: { type: 'string' },
    faults: { type: 'string', default: '' },
    plain: { type: 'boolean', default: false },
    executable: { type: 'string' },
    logs: { type: 'string' },
  },
})
const seed = numberOf('seed') ?? Math.floor(Math.random() * 100_000)
const [minutes, rounds] = [numberOf('minutes') ?? 0, numberOf('rounds') ?? Infinity]
const faults = faultsNamed(values.faults.split(',').filter((name) => name !== ''))
const stopped = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopped.abort())

const executable = values.executable ?? (await freshExecutable())
const logs = values.logs ?? join(tmpdir(), `darkstream-chaos-logs-${seed}-${process.pid}`)
console.log(`seed ${seed}, ${values.rounds === undefined ? `${minutes} minutes` : `${rounds} rounds`}`)
const beganAt = performance.now()
const result = await runChaos({
  seed,
  executable,
  faults,
  goesOn: (played) =>
    played < rounds && (values.rounds !== undefined || performance.now() - beganAt < minutes * 60_000),
  is_plain: values.plain,
  signal: stopped.signal,
  say: (line) => console.log(line),
  logs,
  keeps_logs: values.logs !== undefined,
})
const lasted = ((performance.now() - beganAt) / 60_000).toFixed(1)
console.log(`\n${tableText(result.rows.filter(({ injected }) => injected > 0))}\n`)
for (const line of result.skipped) console.log(`NOT TESTED ${line}`)
for (const line of result.violations) console.log(`BROKEN ${line}`)
console.log(
  `seed ${seed}: ${result.rounds} rounds in ${lasted} minutes, ${result.violations.length} violations` +
    (result.violations.length > 0 ? `; logs in ${logs}` : ''),
)
process.exit(stopped.signal.aborted ? 130 : result.violations.length > 0 ? 1 : 0)

/** An option's number; undefined when it is not given. */
function numberOf(name: 'seed' | 'minutes' | 'rounds'): number | undefined {
  const text = values[name]
  if (text === undefined) return undefined
  if (!/^\d+(\.\d+)?$/.test(text)) throw new RangeError(`--${name} takes a number, not ${text}`)
  return Number(text)
}
