import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

interface Tally {
  passed: number
  failed: number
  skipped: number
}

/**
 * The whole gate: format, lint, types, the build (system tests start the executable), tests. A step counts as a test.
 * With arguments only the build and `bun test` with these: `npm test -- test/queue`.
 * The last line is the plain count, and the exit code is 1 when anything failed; no tests at all is a failure.
 */
const args = process.argv.slice(2)
const steps = args.length === 0 ? ['check:format', 'check:lint', 'check:types', 'build'] : ['build']
const broken = steps.filter((name) => !passes(name))
const tests = runTests(args)
const tally = {
  passed: tests.passed + steps.length - broken.length,
  failed: tests.failed + broken.length,
  skipped: tests.skipped,
}
if (broken.length > 0) console.log(`== failed before the tests: ${broken.join(', ')}; see above`)
console.log(`${tally.passed} passed, ${tally.failed} failed${tally.skipped === 0 ? '' : `, ${tally.skipped} skipped`}`)
process.exit(tally.failed === 0 ? 0 : 1)

function passes(name: string): boolean {
  console.log(`== ${name}${name === 'build' ? ': dist/darkstream, which the system tests start' : ''}`)
  return bun(['run', '--silent', name]) === 0
}

function runTests(args: readonly string[]): Tally {
  console.log('== bun test')
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-report-'))
  const report = join(folder, 'junit.xml')
  try {
    // Without --parallel, a process.exit(0) in a test would end the run there and pass.
    // A test that stands still ends some time; none is to fail because the machine is slow.
    const options = ['--parallel=2', '--timeout=120000', '--reporter=junit', `--reporter-outfile=${report}`]
    const code = bun(['test', ...options, ...args])
    return judge(code, readReport(report))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A run that failed without saying where (a crash, a file that does not load, no tests) is one failure. */
function judge(code: number, tally: Tally | undefined): Tally {
  if (tally === undefined) console.log(`== bun test wrote no report (exit code ${code})`)
  const { passed, failed, skipped } = tally ?? { passed: 0, failed: 0, skipped: 0 }
  const isSilentFailure = failed === 0 && (code !== 0 || passed === 0)
  if (isSilentFailure) console.log('== bun test failed and named no test')
  return { passed, failed: isSilentFailure ? 1 : failed, skipped }
}

/** The counts of a JUnit file's root element; undefined when there is none. */
function readReport(path: string): Tally | undefined {
  const root = /<testsuites\b[^>]*>/.exec(readIfThere(path))?.[0]
  if (root === undefined) return undefined
  const count = (name: string) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0)
  const [failed, skipped] = [count('failures') + count('errors'), count('skipped')]
  return { passed: count('tests') - failed - skipped, failed, skipped }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** The exit code of Bun with these arguments, 128 when a signal ended it. */
function bun(args: readonly string[]): number {
  const child = Bun.spawnSync([process.execPath, ...args], { stdio: ['inherit', 'inherit', 'inherit'] })
  return child.signalCode === undefined ? child.exitCode : 128
}
