import { type LoadedConfig, loadConfig } from '../config/load.ts'
import { ConfigError, type ConfigProblem, formatConfigProblems } from '../config/problems.ts'
import { configRows, formatConfig } from '../config/show.ts'
import { profilesRow } from '../config/show-profiles.ts'
import { printable } from '../util/format.ts'
import { answer } from './ask.ts'
import { checkHost } from './check-host.ts'
import type { Role } from './service-unit.ts'
import { settingsOf } from './settings.ts'
import { type CommandArgs, UsageError } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const file = args.text('file') ?? args.text('config')
  const action = args.text('action')
  if (action === 'check') {
    if (file === undefined) throw new UsageError('which file? darkstream config check FILE')
    return check(file, args)
  }
  if (action !== 'show') throw new UsageError(`config takes check or show, not ${JSON.stringify(action)}`)
  const loaded = file === undefined ? settingsOf(args) : loadConfig({ file, environment: process.env, flags: {} })
  answer(args, [...configRows(loaded), profilesRow(loaded.profiles)], () => formatConfig(loaded))
  return 0
}

/** What a check found. */
interface Verdict {
  /** What is wrong wherever it is read. */
  faults: readonly ConfigProblem[]
  /** What would keep the role that was asked for from starting on this host. */
  host_faults: readonly ConfigProblem[]
  /** What may be meant as it is, and what this host lacks where no role was asked for. */
  warnings: readonly ConfigProblem[]
}

async function check(file: string, args: CommandArgs): Promise<number> {
  const role = roleOf(args.text('for'))
  const verdict = await judge(file, role)
  if (args.flag('json')) answer(args, { file, ...verdict }, () => '')
  else tell(verdict, file, role)
  return verdict.faults.length > 0 ? 2 : verdict.host_faults.length > 0 ? 1 : 0
}

function tell({ faults, host_faults, warnings }: Verdict, file: string, role: Role | undefined): void {
  if (faults.length > 0) throw new ConfigError(faults)
  for (const one of warnings) process.stderr.write(`darkstream: warning: ${lineOf(one)}\n`)
  for (const one of host_faults) process.stderr.write(`darkstream: ${role}: ${lineOf(one)}\n`)
  const count = warnings.length === 1 ? ', with 1 warning' : `, with ${warnings.length} warnings`
  const but = host_faults.length === 0 ? '' : `, but no ${role} would start with it here`
  process.stdout.write(`${printable(file)} is right${warnings.length === 0 ? '' : count}${but}\n`)
}

async function judge(file: string, role: Role | undefined): Promise<Verdict> {
  let loaded: LoadedConfig
  try {
    loaded = loadConfig({ file, environment: {}, flags: {} })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { faults: error.problems, host_faults: [], warnings: [] }
  }
  const host = await checkHost(loaded, role)
  return { faults: [], host_faults: host.faults, warnings: [...loaded.doubts, ...host.doubts] }
}

function roleOf(text: string | undefined): Role | undefined {
  if (text === undefined || text === 'master' || text === 'worker') return text
  throw new UsageError(`--for takes master or worker, not ${JSON.stringify(text)}`)
}

function lineOf(problem: ConfigProblem): string {
  return formatConfigProblems({ problems: [problem] })
}
