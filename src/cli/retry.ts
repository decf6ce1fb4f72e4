import { masterOf, numberFlag } from './ask.ts'
import { actOnEach } from './act.ts'
import { type CommandArgs, UsageError } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const master = masterOf(args)
  if (args.positionals.length > 0) {
    if (args.text('limit') !== undefined) throw new UsageError('--limit is for all failed jobs, not for named ones')
    return actOnEach(args.positionals, (job_id) => master.retryJob({ job_id }))
  }
  const { message } = await master.retry({ limit: numberFlag(args, 'limit') })
  process.stdout.write(`${message}\n`)
  return 0
}
