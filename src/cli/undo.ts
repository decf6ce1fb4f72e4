import { actOnEach } from './act.ts'
import { masterOf } from './ask.ts'
import type { CommandArgs } from './usage.ts'

export async function run(args: CommandArgs): Promise<number> {
  const master = masterOf(args)
  return actOnEach(args.positionals, (job_id) => master.undoJob({ job_id }))
}
