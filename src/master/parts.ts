import type { ConversionSettings } from '../contract/conversion.ts'
import type { Job, JobView, Progress } from '../contract/job.ts'
import type { StatsReport } from '../contract/report.ts'
import type { Store } from '../queue/store.ts'
import type { Clock } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { OnJobEvent } from './events.ts'
import type { Moves } from './moves.ts'
import type { ProfilesOfPath } from './path-profiles.ts'
import type { Reach } from './reach.ts'
import type { RetryPolicy } from './retry-policy.ts'
import type { Uploads } from './transfer/uploads.ts'

/** How results take their sources' places, and what becomes of the originals. */
export interface ReplaceOptions {
  /** Whether they do; originals that are kept from when they did are looked after in any case. */
  enabled: boolean
  /** Milliseconds for which originals are kept aside; 0 for ever. */
  keep_originals_ms: number
  /** What becomes of a source that has further names. */
  hard_links: 'skip' | 'replace'
  moves: Moves
}

/** What the master's calls work with; put together in `coordinator.ts`. */
export interface Parts {
  store: Store
  dispatcher: Dispatcher
  settings: ConversionSettings
  /** What else may hold for the source of a path. */
  profilesOf: ProfilesOfPath
  root_path: string
  /** In replace mode the root itself, so that staged results are on their sources' file system. */
  output_base: string
  replace: ReplaceOptions
  settle_time_ms: number
  /** Whether a file that is not ours may be replaced by a result. */
  overwrite: boolean
  /** Milliseconds of silence after which a worker counts as lost: the lease of its claims. */
  worker_timeout_ms: number
  retry: RetryPolicy
  clock: Clock
  onEvent: OnJobEvent
  log: Log
  /** What running attempts last said of themselves, by job id. It is news, not state: a restart forgets it. */
  progress: Map<string, { attempt: number; progress: Progress }>
  /** Why workers take no jobs, by their id, as their newest heartbeat said; news as well. */
  obstacles: Map<string, string>
  reach: Reach
  uploads: Uploads
  scanReport: () => StatsReport['scan']
  version: string
  /** RFC 3339 UTC. */
  started_at: string
}

/** A job as lists show it. */
export function viewOf(parts: Pick<Parts, 'progress'>, job: Job): JobView {
  const news = parts.progress.get(job.id)
  const isCurrent = job.status === 'processing' && news?.attempt === job.attempt
  return { ...job, progress: isCurrent ? news.progress : null }
}
