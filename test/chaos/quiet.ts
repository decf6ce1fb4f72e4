import { statSync } from 'node:fs'
import type { JobView } from '../../src/contract/job.ts'
import { leftovers } from './invariants.ts'
import { isOver, jobsOf } from './jobs.ts'
import type { Source } from './library.ts'
import type { Memory } from './memory.ts'
import type { World } from './world.ts'

/** Milliseconds for all to come to rest once the harm is over; a worker that is set aside costs one minute of them. */
const limit_ms = 180_000

/** The state at rest. */
export interface Rest {
  /** Of the sources that were waited for. */
  jobs: JobView[]
  /** What did not come to rest in time, a sentence; undefined when all did. */
  unrest: string | undefined
  /** Sentences about completions that were taken back. */
  lost: string[]
}

/** Waits until the jobs of some sources have ended, nothing else is in hand, and nothing is left over. */
export async function whenQuiet(
  world: World,
  sources: readonly Source[],
  search: string,
  memory: Memory,
): Promise<Rest> {
  const until = performance.now() + limit_ms
  const lost: string[] = []
  for (;;) {
    const jobs = (await jobsOf(world, search)) ?? []
    lost.push(...memory.look(jobs))
    const unrest = (await whyBusy(world, sources, jobs)) ?? (await leftovers(world))[0]
    if (unrest === undefined || performance.now() > until) return { jobs, unrest, lost }
    await Bun.sleep(100)
  }
}

async function whyBusy(
  { api }: World,
  sources: readonly Source[],
  jobs: readonly JobView[],
): Promise<string | undefined> {
  for (const source of sources) {
    const job = jobs.find(({ source_path }) => source_path === source.path)
    if (source.state === 'gone') {
      if (job && !isOver(job)) return `${source.path} is gone, its job is ${job.status}`
    } else if (job === undefined) return `no job for ${source.path}`
    else if (!isOver(job)) return `${source.path} is ${job.status}: ${job.error_message}`
    else if (job.source_size !== source.size || job.source_mtime_ms !== Math.floor(statSync(source.path).mtimeMs)) {
      return `${source.path} has changed since, its job is ${job.status}`
    }
  }
  const totals = await api.status({}).catch(() => undefined)
  if (totals === undefined) return 'the master does not answer'
  const { pending, processing } = totals
  return pending + processing === 0 ? undefined : `${pending} jobs are pending, ${processing} processing`
}
