import type { Api } from '../contract/api.ts'
import type { Reply } from '../contract/routes.ts'
import { formatCount, printable } from '../util/format.ts'
import { actOnEach } from './act.ts'
import { answer, masterOf } from './ask.ts'
import { type CommandArgs, UsageError } from './usage.ts'

type Report = Omit<Reply<'requeueChanged'>, 'next'>

export async function run(args: CommandArgs): Promise<number> {
  const isDry = args.flag('dry-run')
  if (!args.flag('changed')) {
    if (isDry || args.flag('json')) throw new UsageError('--dry-run and --json are for --changed')
    if (args.positionals.length === 0) throw new UsageError('which jobs? Give their ids, or --changed')
    const master = masterOf(args)
    return actOnEach(args.positionals, (job_id) => master.requeueJob({ job_id }))
  }
  if (args.positionals.length > 0) throw new UsageError('--changed is for all jobs, not for named ones')
  const report = await requeueAll(masterOf(args), isDry)
  answer(args, report, () => requeueText(report, isDry))
  return 0
}

/** Asks again and again until the master has looked at every job, and adds up what it says. */
async function requeueAll(master: Api, dry_run: boolean): Promise<Report> {
  const sum = { looked_at: 0, requeued: 0, unknown: 0, replaced: 0, missing: 0 }
  const groups: Report['groups'] = []
  for (let after: number | undefined; ;) {
    const { next, groups: more, ...counts } = await master.requeueChanged({ changed: true, dry_run, after })
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += counts[name]
    for (const { jobs, ...told } of more) addTo(groups, told, jobs)
    if (next === null) return { ...sum, groups: groups.toSorted((one, other) => other.jobs - one.jobs) }
    after = next
  }
}

function addTo(groups: Report['groups'], told: Omit<Report['groups'][number], 'jobs'>, jobs: number): void {
  const key = JSON.stringify(told)
  const known = groups.find(({ jobs: _, ...other }) => JSON.stringify(other) === key)
  if (known) known.jobs += jobs
  else groups.push({ ...told, jobs })
}

/** How many of how many, and why; then what was left alone. */
export function requeueText({ looked_at, requeued, groups, ...left }: Report, isDry: boolean): string {
  const of = `${formatCount(requeued)} of ${formatCount(looked_at)} completed and skipped jobs`
  const lines = [
    `${of} ${isDry ? 'would be queued again' : 'are pending again'}${groups.length > 0 ? ':' : ''}`,
    ...groups.map((group) => `  ${formatCount(group.jobs)} x ${groupText(group)}`),
    left.unknown > 0 && `${formatCount(left.unknown)} left alone: who converted them did not tell by which settings`,
    left.replaced > 0 && `${formatCount(left.replaced)} left alone: their results stand in their sources' places`,
    left.missing > 0 && `${formatCount(left.missing)} left alone: their sources are gone`,
  ]
  return lines
    .filter((line) => line !== false)
    .map((line) => `${printable(line)}\n`)
    .join('')
}

function groupText({ profile, before, changes }: Report['groups'][number]): string {
  const now = profile === null ? 'no profile' : `profile ${profile}`
  const then = before === null ? 'no profile' : `profile ${before}`
  return `${now === then ? now : `${now}, before ${then}`}: ${changes.join(', ')}`
}
