import { setImmediate } from 'node:timers/promises'
import { DarkstreamError } from '../contract/error.ts'
import type { Parsed, Reply } from '../contract/routes.ts'
import type { EndedJob } from '../queue/store.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Parts } from './parts.ts'
import { requeueVerdict, type Verdict } from './requeue-verdict.ts'
import { hasOwnPriority } from './settings-of.ts'
import { checkSource } from './source-check.ts'

/** Jobs looked at in one step: a few milliseconds. */
const stepSize = 100
/** Milliseconds after which a call answers with how far it came; below every client's patience. */
const longestCallMs = 3000
/** Different reasons that are told each for itself. */
const maxGroups = 100

type Report = Reply<'requeueChanged'>
type Queue = Pick<Parts, 'store' | 'settings' | 'profilesOf' | 'root_path'> & { dispatcher: Pick<Dispatcher, 'wake'> }
type Group = Report['groups'][number]
type Changed = Verdict & { state: 'changed' }

/**
 * Queues the completed and skipped jobs again that would come out differently by the settings of today, or only counts them.
 * Jobs whose settings are not known and those whose source is replaced or gone are left alone and counted. A long queue takes
 * several calls: each goes on where the one before ended, at its `next`.
 *
 * @throws DarkstreamError `unavailable` while the storage of the sources is not mounted
 */
export async function requeueChanged(
  parts: Queue,
  { dry_run, after }: Pick<Parsed<'requeueChanged'>, 'dry_run' | 'after'>,
  patience_ms = longestCallMs,
): Promise<Report> {
  const report: Report = { looked_at: 0, requeued: 0, unknown: 0, replaced: 0, missing: 0, groups: [], next: null }
  const groups = new Map<string, Group>()
  const deadline = performance.now() + patience_ms
  let position = after ?? 0
  for (;;) {
    const step = await parts.store.endedJobs(position, stepSize)
    await requeueStep(step.jobs)
    if (step.next === null) break
    position = step.next
    if (performance.now() >= deadline) {
      report.next = position
      break
    }
    await setImmediate()
  }
  if (!dry_run && report.requeued > 0) parts.dispatcher.wake()
  return { ...report, groups: [...groups.values()].toSorted((one, other) => other.jobs - one.jobs) }

  async function requeueStep(jobs: readonly EndedJob[]): Promise<void> {
    const wanted: { job_id: string; priority: number | null }[] = []
    for (const job of jobs) {
      report.looked_at++
      const verdict = requeueVerdict(parts, job)
      if (verdict.state === 'unknown' || verdict.state === 'replaced') report[verdict.state]++
      if (verdict.state !== 'changed') continue
      if (await isGone(parts, job)) {
        report.missing++
        continue
      }
      const priority = hasOwnPriority(parts, job) ? (verdict.profile?.priority ?? null) : null
      wanted.push({ job_id: job.id, priority })
      count(groups, job, verdict)
    }
    report.requeued += dry_run ? wanted.length : await parts.store.requeueEnded(wanted)
  }
}

async function isGone(parts: Pick<Parts, 'root_path'>, job: EndedJob): Promise<boolean> {
  const { state } = await checkSource(job, parts.root_path)
  if (state !== 'unmounted') return state === 'missing'
  throw new DarkstreamError(
    'unavailable',
    `the source folder ${parts.root_path} is missing or empty: is its storage mounted?`,
  )
}

function count(groups: Map<string, Group>, job: EndedJob, { profile, changes }: Changed): void {
  const told = { profile: profile?.name ?? null, before: job.profile, status: job.status, changes }
  const known = groups.get(JSON.stringify(told))
  const others = { ...told, profile: null, before: null, changes: ['other changes'] }
  const group = known ?? (groups.size < maxGroups ? told : others)
  const key = JSON.stringify({ ...group, jobs: undefined })
  groups.set(key, { ...group, jobs: (groups.get(key)?.jobs ?? 0) + 1 })
}
