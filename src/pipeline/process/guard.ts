import { accessSync, constants } from 'node:fs'

/** How a child is made to die with us. `setpriv`: by the kernel. `shell`: by a watchdog beside it. `none`: not at all. */
export type Guard = 'setpriv' | 'shell' | 'none'

/** A program that could not be started at all. */
export class StartError extends Error {
  /** `ENOENT`: there is no such program. `EACCES`: there is one, and it cannot be run. */
  readonly reason: 'ENOENT' | 'EACCES'

  constructor(program: string, reason: 'ENOENT' | 'EACCES') {
    super(reason === 'ENOENT' ? `there is no program ${program}` : `the program ${program} cannot be run here`)
    this.name = 'StartError'
    this.reason = reason
  }
}

/**
 * A POSIX shell that runs "$@" beside a reader of its standard input, a pipe from us. When we die the pipe ends, and the
 * reader kills the whole group. The reader takes fd 3, since a shell gives background jobs /dev/null as fd 0. At the end
 * the shell dies of what its child died of, so that the signal is seen.
 */
const shellGuard = `
exec 3<&0 </dev/null
(read -r line <&3; kill -KILL 0) >/dev/null 2>&1 &
reader=$!
"$@" 3<&- &
wait $!
status=$?
kill -KILL $reader 2>/dev/null
case $status in 132|134|136|137|139|143) kill -$((status - 128)) $$ ;; esac
exit $status`

/** An argv that runs the given one under a guard, with at most so many bytes of memory where the system has a program for that. */
export function guardedArgv(guard: Guard, argv: readonly string[], maxMemoryBytes?: number): string[] {
  const limit = maxMemoryBytes === undefined ? undefined : dataLimit(guard, maxMemoryBytes)
  // PR_SET_PDEATHSIG: the kernel sends SIGKILL when the thread that spawned it ends; ours is the main thread.
  if (guard === 'setpriv') {
    return [Bun.which('setpriv') ?? 'setpriv', '--pdeathsig', 'KILL', '--', ...(limit ?? []), ...argv]
  }
  if (guard === 'shell') return ['/bin/sh', '-c', [...(limit ?? []), shellGuard].join('\n'), 'sh', ...argv]
  return [...argv]
}

/**
 * A bound on a program's own memory, RLIMIT_DATA: address space that is only reserved does not count, as it would for
 * RLIMIT_AS. For `setpriv` the argv of util-linux's prlimit, for `shell` a line of it.
 */
function dataLimit(guard: Guard, bytes: number): string[] | undefined {
  if (guard === 'shell') return [`ulimit -d ${Math.floor(bytes / 1024)} 2>/dev/null`]
  const prlimit = guard === 'setpriv' ? Bun.which('prlimit') : null
  return prlimit === null ? undefined : [prlimit, `--data=${bytes}`, '--']
}

/** The full path of a program, given by path or by a name that `searchPath` holds. Throws `StartError`. */
export function checkedProgram(program: string, searchPath: string | undefined): string {
  const found = Bun.which(program, searchPath === undefined ? {} : { PATH: searchPath })
  if (found !== null) return found
  throw new StartError(program, exists(program) ? 'EACCES' : 'ENOENT')
}

/** Whether a guard's exit says that it could not start the program: 126 and 127, as every shell and setpriv have it. */
export function isFailedStart(guard: Guard, exitCode: number | null, stderr: string): boolean {
  if (exitCode !== 126 && exitCode !== 127) return false
  return guard === 'setpriv' ? /^(setpriv|prlimit): /.test(stderr) : guard === 'shell'
}

function exists(path: string): boolean {
  try {
    accessSync(path, constants.F_OK)
    return path.includes('/')
  } catch {
    return false
  }
}
