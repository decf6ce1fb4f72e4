import { readFileSync, writeFileSync } from 'node:fs'
import { collectText, readLines, Tail } from './process/child-output.ts'
import { checkedProgram, guardedArgv, type Guard, isFailedStart, StartError } from './process/guard.ts'

/** What to run and when to stop it. */
export interface ProcessRequest {
  /** Program first. No shell reads it. */
  argv: readonly string[]
  /** The child's whole environment. Put a mark in it by which `killLeftovers` finds the child. */
  environment: Record<string, string | undefined>
  /** Milliseconds until it is killed; null for as long as it takes. */
  timeout_ms: number | null
  /** Kills it when aborted. */
  signal: AbortSignal
  /** Bytes of standard output to keep, 1 MiB unless told; a child that writes more is killed. */
  max_stdout_bytes?: number
  /** Bytes of memory of its own that it may take, where that can be bounded; more fails inside of it. */
  max_memory_bytes?: number
  /** Takes standard output line by line; then none of it is kept. */
  on_line?: (line: string) => void
  /** Sees every line of standard error, also those that the tail no longer holds. */
  on_error_line?: (line: string) => void
  /** Asked every `interval_ms` whether the child has stopped working; yes kills it. */
  watchdog?: { interval_ms: number; isStalled: () => Promise<boolean> }
  /** How the child is made to die with us; the best that this machine has, unless a test says. */
  guard?: Guard
}

/** How a child ended. */
export interface ProcessResult {
  /** Null when a signal ended it. */
  exit_code: number | null
  /** The signal that ended it, as `SIGKILL`; null when it ended by itself. */
  signal: string | null
  /** What we killed it for; null when we did not. */
  killed_for: KillReason | null
  /** The last 16 KiB that it wrote to standard error. */
  stderr_tail: string
  /** Standard output; empty with `on_line`. */
  stdout: string
  /** Milliseconds of CPU time, of all its threads; null where they are not known. */
  cpu_ms: number | null
}

/** `overflow`: it wrote more to standard output than was asked for. */
export type KillReason = 'abort' | 'timeout' | 'stall' | 'overflow'

const stderrTailBytes = 16 * 1024
const defaultStdoutBytes = 1024 * 1024
/** A timer of more than 2^31 - 1 ms (25 days) would fire at once. */
const longestTimer = 2 ** 31 - 1

/**
 * Runs one program to its end, in a process group of its own that dies with us, even when we are killed by -9. What
 * ends it early (signal, time limit, watchdog) is a SIGKILL to the group: nothing that we stop leaves a result of use,
 * and an ffmpeg that hangs in a driver heeds nothing else. Throws `StartError`; every other end is a result.
 */
export async function runProcess(request: ProcessRequest): Promise<ProcessResult> {
  const program = checkedProgram(request.argv[0] ?? '', request.environment['PATH'])
  const guard = request.guard ?? bestGuard()
  if (request.signal.aborted) {
    return { exit_code: null, signal: null, killed_for: 'abort', stderr_tail: '', stdout: '', cpu_ms: 0 }
  }
  const child = Bun.spawn(guardedArgv(guard, [program, ...request.argv.slice(1)], request.max_memory_bytes), {
    // The shell's watchdog reads its end; nothing is ever written.
    stdin: guard === 'shell' ? 'pipe' : 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    env: request.environment,
    detached: guard !== 'none',
  })
  goFirst(child.pid)
  const killed: { reason: KillReason | null } = { reason: null }
  const kill = (reason: KillReason) => {
    killed.reason ??= reason
    if (guard === 'none') child.kill('SIGKILL')
    else killGroup(child.pid)
  }
  const disarm = arm(request, kill)
  try {
    const tail = new Tail(stderrTailBytes)
    const stdoutLimit = request.max_stdout_bytes ?? defaultStdoutBytes
    const [stdout] = await Promise.all([
      request.on_line
        ? readLines(child.stdout, request.on_line)
        : collectText(child.stdout, stdoutLimit, () => kill('overflow')),
      readLines(child.stderr, request.on_error_line ?? (() => {}), tail),
    ])
    await child.exited
    const stderrTail = tail.text()
    if (isFailedStart(guard, child.exitCode, stderrTail)) throw new StartError(program, 'EACCES')
    return {
      exit_code: child.signalCode === null ? child.exitCode : null,
      signal: child.signalCode === null ? null : String(child.signalCode),
      killed_for: killed.reason,
      stderr_tail: stderrTail,
      stdout: stdout ?? '',
      cpu_ms: cpuTime(child, guard, killed.reason !== null),
    }
  } finally {
    disarm()
    // A callback that threw must not leave the child behind.
    if (child.exitCode === null && child.signalCode === null) kill('abort')
  }
}

/** How much sooner than us a child is chosen when memory runs out, of 1000. */
const oomBias = 500

/** Where the kernel must kill somebody for want of memory, it shall be what decodes a stranger's file, not a worker or master. */
function goFirst(pid: number): void {
  if (process.platform !== 'linux') return
  try {
    const own = Number(readFileSync('/proc/self/oom_score_adj', 'utf8'))
    writeFileSync(`/proc/${pid}/oom_score_adj`, String(Math.min(1000, own + oomBias)))
  } catch {
    // It has ended by now, or this system does not let us choose.
  }
}

/** A shell that is killed beside its child has not been told yet what the child used. */
function cpuTime(child: Bun.Subprocess, guard: Guard, isKilled: boolean): number | null {
  if (guard === 'shell' && isKilled) return null
  const usage = child.resourceUsage()
  return usage === undefined ? null : Number(usage.cpuTime.total) / 1000
}

/** Sets up all that may end the child before its time; returns what takes it back. */
function arm(request: ProcessRequest, kill: (reason: KillReason) => void): () => void {
  const onAbort = () => kill('abort')
  request.signal.addEventListener('abort', onAbort, { once: true })
  const deadline =
    request.timeout_ms === null
      ? undefined
      : setTimeout(() => kill('timeout'), Math.min(request.timeout_ms, longestTimer))
  const { watchdog } = request
  const patrol = watchdog && setInterval(() => void look(), watchdog.interval_ms)
  return () => {
    request.signal.removeEventListener('abort', onAbort)
    clearTimeout(deadline)
    clearInterval(patrol)
  }

  async function look() {
    if (await watchdog?.isStalled()) kill('stall')
  }
}

/** Kills a process group; one that has just ended by itself is as good. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // ESRCH: nobody is left in it.
  }
}

let foundGuard: Guard | undefined

/** Busybox has a setpriv without the option, so it is tried once, not looked for. */
function bestGuard(): Guard {
  foundGuard ??= findGuard()
  return foundGuard
}

function findGuard(): Guard {
  if (process.platform === 'win32') return 'none'
  if (process.platform !== 'linux' || Bun.which('setpriv') === null) return 'shell'
  const trial = Bun.spawnSync(guardedArgv('setpriv', ['true']), { stdout: 'ignore', stderr: 'ignore' })
  return trial.exitCode === 0 ? 'setpriv' : 'shell'
}
