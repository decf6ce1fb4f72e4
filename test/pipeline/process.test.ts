import { afterAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ProcessRequest, runProcess } from '../../src/pipeline/process.ts'
import type { Guard } from '../../src/pipeline/process/guard.ts'
import { caught } from './samples.ts'

setDefaultTimeout(60_000)

const folder = mkdtempSync(join(tmpdir(), 'darkstream-process-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(argv: string[], options: Partial<ProcessRequest> = {}) {
  const { signal } = new AbortController()
  return runProcess({ argv, environment: process.env, timeout_ms: null, signal, ...options })
}

function shell(script: string, options: Partial<ProcessRequest> = {}) {
  return run(['sh', '-c', script], options)
}

const guards: Guard[] = process.platform === 'linux' ? ['setpriv', 'shell'] : ['shell']

describe.each(guards)('under the guard %s', (guard) => {
  test('exit code, output and standard error are those of the program', async () => {
    const result = await shell('echo out; echo err >&2; exit 3', { guard })
    const { cpu_ms, ...rest } = result
    expect(rest).toEqual({ exit_code: 3, signal: null, killed_for: null, stdout: 'out\n', stderr_tail: 'err\n' })
    expect(cpu_ms).toBeGreaterThan(0)
  })

  test('arguments reach the program as they are', async () => {
    const odd = ['a b', '', '*', '$(id)', "it's", '-n', 'new\nline', '--']
    const result = await run(['printf', '<%s>', ...odd], { guard })
    expect(result.stdout).toBe(odd.map((argument) => `<${argument}>`).join(''))
  })

  test('a signal that ended the program is told', async () => {
    const result = await shell('kill -SEGV $$', { guard })
    expect(result).toMatchObject({ exit_code: null, signal: 'SIGSEGV', killed_for: null })
  })

  test('the CPU time of the program is told, and is that of the work that it did', async () => {
    const count = 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done'
    const [idle, busy] = [await shell(':', { guard }), await shell(count, { guard })]
    expect(busy.cpu_ms ?? 0).toBeGreaterThan(2 * (idle.cpu_ms ?? 0))
    expect(busy.cpu_ms ?? 0).toBeGreaterThan(20)
  })

  test('an abort kills the program and its children, though they ignore SIGTERM', async () => {
    const controller = new AbortController()
    const script = "trap '' TERM; (trap '' TERM; echo child; while :; do sleep 100; done) & wait"
    const result = await shell(script, { guard, signal: controller.signal, on_line: () => controller.abort() })
    expect(result).toMatchObject({ exit_code: null, signal: 'SIGKILL', killed_for: 'abort' })
  })

  test('the program dies when we are killed by -9', async () => {
    const fifo = join(folder, `${guard}.fifo`)
    await run(['mkfifo', fifo])
    const script = `exec 9>'${fifo}'; echo ready >&9; exec sleep 1000`
    const module = join(import.meta.dir, '../../src/pipeline/process.ts')
    const ours = `import { runProcess } from ${JSON.stringify(module)}
      await runProcess({ argv: ['sh', '-c', ${JSON.stringify(script)}], environment: process.env, timeout_ms: null,
        signal: new AbortController().signal, guard: ${JSON.stringify(guard)} })`
    const parent = Bun.spawn([process.execPath, '-e', ours], { stdout: 'ignore', stderr: 'inherit' })
    // The fifo ends when the last process that holds it is gone.
    const reading = await run(['cat', fifo], { on_line: () => parent.kill('SIGKILL') })
    expect(reading.exit_code).toBe(0)
    expect(await parent.exited).toBe(137)
  })
})

test('a program past its time is killed', async () => {
  const result = await run(['sleep', '1000'], { timeout_ms: 20 })
  expect(result).toMatchObject({ exit_code: null, signal: 'SIGKILL', killed_for: 'timeout' })
})

test('the CPU time of a program that was killed is told where its guard can know it', async () => {
  const spin = 'echo; while :; do :; done'
  const spun = (guard: Guard) => {
    const controller = new AbortController()
    return shell(spin, { guard, signal: controller.signal, on_line: () => controller.abort() })
  }
  expect((await spun('shell')).cpu_ms).toBeNull()
  if (guards.includes('setpriv')) expect((await spun('setpriv')).cpu_ms).toBeGreaterThan(0)
})

test('a time limit beyond what a timer holds is no limit of nothing', async () => {
  expect(await run(['true'], { timeout_ms: 1e12 })).toMatchObject({ exit_code: 0, killed_for: null })
})

test('a program that its watchdog calls stalled is killed', async () => {
  let looks = 0
  const watchdog = { interval_ms: 5, isStalled: () => Promise.resolve(++looks === 3) }
  const result = await run(['sleep', '1000'], { watchdog })
  expect(result).toMatchObject({ signal: 'SIGKILL', killed_for: 'stall' })
})

test('a program that writes more than asked for is killed', async () => {
  const result = await run(['yes'], { max_stdout_bytes: 1000 })
  expect(result.killed_for).toBe('overflow')
  expect(result.stdout.length).toBeLessThanOrEqual(1000)
})

test('nothing is started for a signal that was aborted before', async () => {
  const file = join(folder, 'never')
  const result = await run(['touch', file], { signal: AbortSignal.abort() })
  expect(result.killed_for).toBe('abort')
  expect(await Bun.file(file).exists()).toBe(false)
})

test('of a long standard error the last 16 KiB are kept, in whole lines', async () => {
  let lines = 0
  const result = await run(['seq', '-f', 'line %g', '1', '20000'], {})
  expect(result.stdout).toEndWith('line 20000\n')
  const errors = await shell('seq -f "line %g" 1 20000 >&2', { on_error_line: () => lines++ })
  expect(errors.stderr_tail).toMatch(/^line \d+\n/)
  expect(errors.stderr_tail).toEndWith('line 20000\n')
  expect(errors.stderr_tail.length).toBeLessThanOrEqual(16_384)
  expect(lines).toBe(20_000)
})

test('a callback that throws ends the program and comes through', async () => {
  const failing = shell('echo x; exec sleep 1000', {
    on_line: () => {
      throw new Error('from the callback')
    },
  })
  expect(await caught(failing)).toHaveProperty('message', 'from the callback')
})

test('a program that is not there, or may not run, is told apart', async () => {
  const script = join(folder, 'not-executable')
  writeFileSync(script, '')
  chmodSync(script, 0o644)
  expect(await caught(run(['/nonexistent/ffmpeg']))).toMatchObject({ name: 'StartError', reason: 'ENOENT' })
  expect(await caught(run(['no-such-program-here']))).toMatchObject({ name: 'StartError', reason: 'ENOENT' })
  expect(await caught(run([script]))).toMatchObject({ name: 'StartError', reason: 'EACCES' })
})
