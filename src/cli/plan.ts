import { basename, dirname, extname, join, resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.ts'
import { outputCandidates, replacementCandidates } from '../master/outputs.ts'
import { profilesOfPath } from '../master/path-profiles.ts'
import { isInside } from '../master/real-path.ts'
import { SkippedError } from '../pipeline/skipped-error.ts'
import { answer } from './ask.ts'
import { openLog } from './open-log.ts'
import { planReport } from './plan-report.ts'
import { planText } from './plan-text.ts'
import { openPlanner } from './planner.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import { type CommandArgs, UsageError } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const file = args.text('file')
  if (file === undefined) throw new UsageError('of which file? darkstream plan FILE')
  const { config } = settingsOf(args)
  const stopping = new AbortController()
  onStopSignals(
    () => stopping.abort(new Error('stopped')),
    () => process.exit(1),
  )
  const log = openLog({ ...config.logging, level: 'warn', output_path: null })
  const planner = await openPlanner(config, log, stopping.signal)
  try {
    const source_path = resolve(file)
    const output_path = outputOf(source_path, config)
    const profiles = profilesOfPath(config.profiles, resolve(config.scanner.root_path))(source_path)
    const planned = await planner.plan({ source_path, output_path, settings: config.conversion, profiles })
    const report = planReport({ source_path, output_path, ...planned })
    answer(args, report, () => planText(report))
    return 0
  } catch (error) {
    if (!(error instanceof SkippedError)) throw error
    answer(
      args,
      { source_path: resolve(file), skip_reason: error.message },
      () => `would be skipped: ${error.message}\n`,
    )
    return 0
  } finally {
    planner.close()
  }
}

/** Where the master would put it; of a file that is not among the sources, straight into the folder of results. */
function outputOf(source_path: string, { scanner, conversion, replace }: LoadedConfig['config']): string {
  if (replace.enabled) return replacementCandidates(source_path, conversion.container)[0] ?? source_path
  const [root, output] = [resolve(scanner.root_path), resolve(scanner.output_base)]
  const folder = isInside(source_path, root) ? root : dirname(source_path)
  const [first] = outputCandidates(source_path, folder, output, conversion.container)
  return first ?? join(output, `${basename(source_path, extname(source_path))}.${conversion.container}`)
}
