import type { ConversionSettings } from '../contract/conversion.ts'
import type { StatsReport } from '../contract/report.ts'
import { type Api, checkedApi } from '../contract/api.ts'
import type { FileDesk } from '../contract/files.ts'
import type { Store } from '../queue/store.ts'
import { type Clock, timestamp } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { adminCalls } from './admin-calls.ts'
import { Dispatcher } from './dispatcher.ts'
import type { OnJobEvent } from './events.ts'
import { recoverPublications } from './finish.ts'
import { jobCalls } from './job-calls.ts'
import type { Parts, ReplaceOptions } from './parts.ts'
import type { ProfilesOfPath } from './path-profiles.ts'
import { presenceCalls } from './presence-calls.ts'
import { Reach } from './reach.ts'
import { reapUntil } from './reaper.ts'
import { recoverUndoings } from './replace/undo.ts'
import type { RetryPolicy } from './retry-policy.ts'
import { fileCalls } from './transfer/file-calls.ts'
import { fileDesk } from './transfer/file-desk.ts'
import { StorageProofs } from './transfer/storage-proofs.ts'
import { Uploads } from './transfer/uploads.ts'
import { workerCalls } from './worker-calls.ts'

export interface CoordinatorOptions {
  store: Store
  settings: ConversionSettings
  /** The profiles that may hold for a source path; without it there are none. */
  profilesOf?: ProfilesOfPath | undefined
  /** Absolute. */
  root_path: string
  /** Absolute; in replace mode results do not go there. */
  output_base: string
  replace: ReplaceOptions
  overwrite: boolean
  settle_time_ms: number
  worker_timeout_ms: number
  retry: RetryPolicy
  clock: Clock
  log: Log
  onEvent: OnJobEvent
  scanReport: () => StatsReport['scan']
  version: string
}

/** The master's mind: answers every operation of the `Api` over the queue, and keeps the queue moving. */
export interface Coordinator {
  api: Api
  /** The bytes of the jobs. */
  files: FileDesk
  /** Ends what an earlier master left half done, grants running claims a full lease, and starts to watch leases and retries. */
  start: () => Promise<void>
  /** Sends waiting workers home and stops watching; the store stays open for its owner to close. */
  stop: () => Promise<void>
  /** Tells those who wait for work that there may be some. */
  wake: () => void
}

export function createCoordinator(given: CoordinatorOptions): Coordinator {
  const options = { ...given, output_base: given.replace.enabled ? given.root_path : given.output_base }
  const { store, clock, onEvent, worker_timeout_ms, log, profilesOf = () => [] } = options
  const reach = new Reach(clock, worker_timeout_ms)
  const dispatcher = new Dispatcher({ ...options, profilesOf, lease_ms: worker_timeout_ms, reach })
  const parts: Parts = {
    ...options,
    profilesOf,
    dispatcher,
    onEvent,
    progress: new Map(),
    obstacles: new Map(),
    reach,
    uploads: new Uploads(),
    started_at: timestamp(clock()),
  }
  const proofs = new StorageProofs(parts.output_base)
  const stopping = new AbortController()
  let reaping: Promise<void> | undefined
  return {
    api: checkedApi({
      ...workerCalls(parts),
      ...presenceCalls(parts),
      ...fileCalls(parts, proofs),
      ...adminCalls(parts),
      ...jobCalls(parts),
    }),
    files: fileDesk(parts),
    async start() {
      await recoverPublications(parts)
      await recoverUndoings(parts)
      await store.renewAll(worker_timeout_ms)
      reaping = reapUntil(stopping.signal, parts, (error) => log.error(`cannot look after the queue: ${String(error)}`))
    },
    async stop() {
      stopping.abort()
      dispatcher.stop()
      await reaping
      await proofs.stop()
    },
    wake: () => dispatcher.wake(),
  }
}
