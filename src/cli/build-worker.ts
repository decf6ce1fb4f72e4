import { mkdirSync, statSync } from 'node:fs'
import { availableParallelism, hostname, tmpdir, userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import { splitMapping } from '../config/path-mapping.ts'
import type { Api } from '../contract/api.ts'
import { DarkstreamError } from '../contract/error.ts'
import type { FileTransfer } from '../contract/files.ts'
import { killLeftovers } from '../pipeline/process/leftovers.ts'
import { findTools, type Tools } from '../pipeline/tools.ts'
import { whyRefused } from '../util/file-error.ts'
import type { Log } from '../util/log.ts'
import { type Identity, removeLeftovers, takeIdentity } from '../worker/identity.ts'
import { JobFiles } from '../worker/transfer/job-files.ts'
import { Pace } from '../worker/transfer/pace.ts'
import { SharedMount } from '../worker/transfer/shared-mount.ts'
import { Worker } from '../worker/worker.ts'
import { childEnvironment } from './child-environment.ts'
import { openGpus } from './open-gpus.ts'

/** Names the worker in its children's environment, so that a later start finds what an earlier one left running. */
const childMark = 'DARKSTREAM_WORKER'

/** A minute for a master that restarts at the same time; after it the lease gives the job to another worker. */
const drainPatienceMs = 60_000

/** Milliseconds without a byte after which a transfer is begun anew where it was. */
const stallTimeoutMs = 30_000

/** A worker and the giving back of its id. */
export interface BuiltWorker {
  worker: Worker
  worker_id: string
  concurrency: number
  /** To be called when the worker has run. */
  release: () => Promise<void>
}

/** What a worker is put together with. */
export interface BuildWorkerRequest {
  config: Config
  api: Api
  log: Log
  /** Ends the putting together, and nothing after it. */
  signal: AbortSignal
  /** How bytes travel to and from a master beyond this process; without it, the worker is the master's own. */
  transfer?: FileTransfer
  /** What tells the worker's master from others: its address, or the folder of its results, unless told. */
  master?: string
}

/**
 * Puts a worker together: finds ffmpeg, takes an id, clears what an earlier run of it left behind, tries the GPUs.
 * Undefined when the signal ended that, with nothing left.
 */
export async function buildWorker(request: BuildWorkerRequest): Promise<BuiltWorker | undefined> {
  try {
    const tools = await findTools({
      ffmpeg_path: request.config.ffmpeg.path,
      environment: childEnvironment(),
      signal: AbortSignal.any([request.signal, AbortSignal.timeout(30_000)]),
    })
    request.log.info(`ffmpeg ${tools.version} at ${tools.ffmpeg_path}`)
    return await buildWith(tools, request)
  } catch (error) {
    if (request.signal.aborted) return undefined
    throw error
  }
}

async function buildWith(tools: Tools, request: BuildWorkerRequest): Promise<BuiltWorker> {
  const { storage, worker: own } = request.config
  const cache_path = openCache(storage.cache_path)
  const identity = takeIdentity({ cache_path, configured_id: own.id, hostname: hostname() })
  if (!identity) {
    const remedy = 'stop it, or give this one another worker.id (--id)'
    throw new DarkstreamError('conflict', `a worker ${own.id} runs on this machine already: ${remedy}`)
  }
  try {
    return await buildAs(identity, cache_path, tools, request)
  } catch (error) {
    identity.release()
    throw error
  }
}

async function buildAs(
  identity: Identity,
  cache_path: string,
  tools: Tools,
  { config, api, log, signal, transfer, master = resolve(config.scanner.output_base) }: BuildWorkerRequest,
): Promise<BuiltWorker> {
  const { worker: own, storage, ffmpeg } = config
  const { worker_id, work_base, release } = identity
  const killed = await killLeftovers({ name: childMark, value: work_base })
  if (killed > 0) log.warn(`ended ${killed} processes that an earlier run had left behind`)
  removeLeftovers(identity)
  const concurrency = concurrencyOf(config)
  const environment = { ...childEnvironment(), [childMark]: work_base }
  const { pool, stop: stopGpus } = await openGpus({
    config,
    tools,
    cache_path,
    work_base,
    concurrency,
    environment,
    signal,
    log,
  })
  const worker = new Worker({
    api,
    master,
    gpus: pool,
    worker_id,
    boot_id: crypto.randomUUID(),
    hostname: hostname(),
    tools,
    limits: {
      encode_timeout_ms: ffmpeg.timeout,
      probe_timeout_ms: storage.download_timeout,
      stall_timeout_ms: ffmpeg.stall_timeout,
    },
    job_timeout_ms: own.job_timeout,
    work_base,
    ...(transfer === undefined ? {} : { files: filesOf({ config, api, transfer, worker_id, work_base, master, log }) }),
    retry_pause_ms: own.job_check_interval,
    drain_patience_ms: drainPatienceMs,
    heartbeat_interval_ms: own.heartbeat_interval,
    // Who never looks at a mount need not wait for it.
    mount_path: storage.mode === 'http' && transfer !== undefined ? null : storage.mount_path,
    min_free: storage.min_free,
    concurrency,
    prefetch: own.prefetch > 0,
    child_environment: environment,
    log,
  })
  return {
    worker,
    worker_id,
    concurrency,
    async release() {
      await stopGpus()
      release()
    },
  }
}

/** What gets the worker the files of its jobs. */
function filesOf({
  config: { storage, worker },
  ...parts
}: Pick<BuildWorkerRequest, 'config' | 'api' | 'log'> & {
  transfer: FileTransfer
  worker_id: string
  work_base: string
  master: string
}): JobFiles {
  const path_map = (storage.path_map ?? []).flatMap((text) => splitMapping(text) ?? [])
  return new JobFiles({
    ...parts,
    mode: storage.mode,
    mount: new SharedMount({ ...parts, path_map }),
    pace: new Pace(storage.max_bandwidth),
    max_cache: storage.max_cache,
    min_free: storage.min_free,
    download_timeout_ms: storage.download_timeout,
    source_look_ms: 30_000,
    stall_timeout_ms: stallTimeoutMs,
    retry_pause_ms: worker.job_check_interval,
  })
}

/** Conversions at a time: as configured, or one per four cores, which is what an encoder keeps busy. */
export function concurrencyOf({ worker }: Pick<Config, 'worker'>): number {
  return worker.concurrency ?? Math.max(1, Math.floor(availableParallelism() / 4))
}

/** The scratch folder, by default the one that systemd gives a service, else one of this user in the temporary folder. */
export function cachePath(configured: string | null): string {
  // The user's name comes from the environment, which a service may not have; the number is always there but on Windows.
  const { uid, username } = userInfo()
  const own = `darkstream-${uid >= 0 ? uid : username}`
  return resolve(configured ?? process.env['CACHE_DIRECTORY'] ?? join(tmpdir(), own))
}

/** Makes the scratch folder where it is not there. */
export function openCache(configured: string | null): string {
  const path = cachePath(configured)
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new DarkstreamError('unavailable', `cannot make storage.cache_path ${path}: ${whyRefused(error)}`, {
      cause: error,
    })
  }
  refuseSharedCache(path)
  return path
}

/**
 * In the temporary folder anybody can make one of that name first, and whoever may write into it could put other files in the
 * place of ours.
 *
 * @throws DarkstreamError `unavailable` for a folder that others may change
 */
export function refuseSharedCache(path: string): void {
  const { uid } = userInfo()
  const { uid: owner, mode } = statSync(path)
  if (uid >= 0 && ((owner !== uid && owner !== 0) || (mode & 0o022) !== 0)) {
    throw new DarkstreamError(
      'unavailable',
      `${path} can be changed by other users: take that right away (chmod go-w), or set another storage.cache_path`,
    )
  }
}
