import { tlsReasonOf } from '../api/tls-reason.ts'
import { ConfigError } from '../config/problems.ts'
import { DarkstreamError } from '../contract/error.ts'
import { ConversionError } from '../contract/failure.ts'
import { printable } from '../util/format.ts'
import { type CommandName, headOf, heads, isCommand } from './heads.ts'
import { type CommandArgs, commandHelp, readArgs, rootHelp, UsageError } from './usage.ts'
import { versionLine } from './version.ts'

/** Each command's code, loaded when it is called: most of a short command's time would be the loading of the others. */
const loaders: Record<CommandName, () => Promise<{ run: (args: CommandArgs) => Promise<number> }>> = {
  start: () => import('./start.ts'),
  master: () => import('./master.ts'),
  worker: () => import('./worker.ts'),
  status: () => import('./status.ts'),
  stats: () => import('./stats.ts'),
  jobs: () => import('./jobs.ts'),
  workers: () => import('./workers.ts'),
  retry: () => import('./retry.ts'),
  requeue: () => import('./requeue.ts'),
  undo: () => import('./undo.ts'),
  cancel: () => import('./cancel.ts'),
  backup: () => import('./backup.ts'),
  detect: () => import('./detect.ts'),
  token: () => import('./token.ts'),
  init: () => import('./init.ts'),
  service: () => import('./service.ts'),
  plan: () => import('./plan.ts'),
  config: () => import('./config.ts'),
  'probe-vulkan': () => import('./probe-vulkan.ts'),
  'watch-gpus': () => import('./watch-gpus.ts'),
}

/** Runs a command line; the exit code: 0 done, 1 something failed or the master cannot be reached, 2 wrong usage. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv
  if (first === undefined) return print(await rootHelp(), 2)
  if (first === '--version' || first === '-v') return print(`${versionLine()}\n`)
  if (first === '--help' || first === '-h') return print(await rootHelp())
  if (first === 'help') return print(isCommand(rest[0]) ? await commandHelp(rest[0]) : await rootHelp())
  if (!isCommand(first)) {
    return complain(`unknown command ${JSON.stringify(first)}; there are ${Object.keys(heads).join(', ')}`, 2)
  }
  const untilDashes = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest
  if (untilDashes.includes('--help') || untilDashes.includes('-h')) return print(await commandHelp(first))
  try {
    const args = readArgs(headOf(first), rest)
    const { run } = await loaders[first]()
    return await run(args)
  } catch (error) {
    return explain(first, error)
  }
}

/** Tells an expected failure in words; what nobody expected keeps its stack. */
function explain(command: CommandName, error: unknown): number {
  if (error instanceof UsageError) return complain(`${error.message} (see darkstream ${command} --help)`, 2)
  if (error instanceof ConfigError) return complain(error.message, 2)
  if (error instanceof ConversionError) return complain(error.message, 1)
  if (!(error instanceof DarkstreamError)) throw error
  if (error.code === 'invalid_request') return complain(error.message, 2)
  const isAway = error.code === 'unreachable' && tlsReasonOf(error.cause) === undefined
  const hint = isAway ? '; is it running there? Name another with --master-url' : ''
  return complain(`${error.message}${hint}`, 1)
}

function print(text: string, code = 0): number {
  process.stdout.write(text)
  return code
}

function complain(message: string, code: number): number {
  // A list of problems has a line each.
  process.stderr.write(`darkstream: ${message.split('\n').map(printable).join('\n')}\n`)
  return code
}
