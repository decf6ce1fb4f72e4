import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants } from 'node:fs'
import { constants as osConstants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What a person is told instead of a stack: what went wrong, and what to do about it. */
export class Failure extends Error {}

/** Says on stderr what is about to happen; stdout belongs to the script. */
export function say(line) {
  console.error(`darkstream: ${line}`)
}

/** Whether a program of this name can be started. */
export function isOnPath(name) {
  const file = process.platform === 'win32' ? `${name}.exe` : name
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && isExecutable(join(folder, file)))
}

/** Whether this file can be started. */
export function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * Runs a program from the repository's root to its end, passing our signals on to it, and gives its exit code:
 * 128 and the signal's number when a signal ended it. Throws a Failure when it cannot be started.
 */
export async function run(program, args, { env = process.env, stdio = 'inherit' } = {}) {
  try {
    const child = spawn(program, args, { cwd: root, env, stdio })
    const stopPassing = passSignals(child)
    const [code, signal] = await once(child, 'exit').finally(stopPassing)
    return code ?? 128 + osConstants.signals[signal]
  } catch (error) {
    throw new Failure(`${program} cannot be started: ${error.message}`)
  }
}

/** Like `run`, for a step that must succeed: throws a Failure with this advice when it does not. */
export async function must(program, args, { advice, ...options }) {
  const code = await run(program, args, options)
  if (code > 128) throw new Failure(`${program} was stopped`)
  if (code !== 0) throw new Failure(`${[program, ...args].join(' ')} failed with exit code ${code}. ${advice}`)
}

function passSignals(child) {
  const handlers = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => [signal, () => pass(child, signal)])
  for (const [signal, handler] of handlers) process.on(signal, handler)
  return () => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  }
}

function pass(child, signal) {
  // A terminal has sent its Ctrl-C to the child as well, and a second one means more than the first.
  if (signal === 'SIGINT' && process.stdin.isTTY) return
  child.kill(signal)
}
