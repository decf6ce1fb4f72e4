import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as v from 'valibot'
import { createApp } from '../../src/api/server.ts'
import { createClient } from '../../src/api/client.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Api } from '../../src/contract/api.ts'
import { ConversionSettings } from '../../src/contract/conversion.ts'
import { type Coordinator, createCoordinator } from '../../src/master/coordinator.ts'
import type { JobEvent } from '../../src/master/events.ts'
import { systemMoves } from '../../src/master/moves.ts'
import { jobId, outputCandidates, replacementCandidates } from '../../src/master/outputs.ts'
import type { ReplaceOptions } from '../../src/master/parts.ts'
import { type ProfilesOfPath, profilesOfPath, ruleOf } from '../../src/master/path-profiles.ts'
import { openSqliteStore } from '../../src/queue/sqlite/sqlite-store.ts'
import type { FoundSource, Store } from '../../src/queue/store.ts'
import { createLog, type Log } from '../../src/util/log.ts'
import { cleanUpAfterEach } from './after-each.ts'
import { News } from './news.ts'
import { temporaryFolder } from './program.ts'

/** A master's mind over a real database, with a clock that the test moves and no socket. */
export interface TestMaster {
  coordinator: Coordinator
  /** The coordinator itself. */
  api: Api
  /** The same through HTTP's forms, as a client beyond the process meets it. */
  remote: Api
  app: ReturnType<typeof createApp>
  store: Store
  events: JobEvent[]
  /** Resolves once so many jobs have ended, one way or the other. */
  whenEnded: (count: number) => Promise<void>
  root_path: string
  output_base: string
  /** Milliseconds UTC; moves only by hand. */
  clock: { now: number }
  /** Puts a file into the source folder and adds it as the scanner would. */
  addSource: (name: string, content?: string | Uint8Array) => Promise<string>
  /** What a worker that has claimed would leave in its staging place. */
  stage: (path: string, content: string) => number
}

const opened: TestMaster[] = []

cleanUpAfterEach(async () => {
  for (const { coordinator, store } of opened.splice(0)) {
    await coordinator.stop()
    await store.close()
  }
})

export const settings = v.parse(ConversionSettings, {
  target_resolution: { width: 1920, height: 1080 },
  codec: 'h264',
  bitrate: 5_000_000,
  preset: 'fast',
  audio_codec: 'aac',
  audio_bitrate: 128_000,
  container: 'mp4',
})

export interface TestMasterOptions {
  /** What differs from `settings`. */
  settings?: Partial<ConversionSettings>
  /** Of an earlier test master, to go on with its files. */
  base?: string
  overwrite?: boolean
  max_retries?: number
  /** Replace mode, with what differs from the defaults. */
  replace?: Partial<ReplaceOptions>
  /** Where the master's log goes; only errors are shown unless told. */
  log?: Log
  /** The text of a configuration with its `conversion` and `profiles`; the usual settings and no profiles unless told. */
  config?: string
}

/** Opens a master over fresh folders, or over those of an earlier one. */
export function openMaster(options: TestMasterOptions = {}): TestMaster {
  const base = options.base ?? temporaryFolder()
  const folders = { root_path: join(base, 'source'), output_base: join(base, 'output') }
  mkdirSync(folders.root_path, { recursive: true })
  const clock = { now: Date.now() }
  const events: JobEvent[] = []
  const news = new News()
  const onEvent = (event: JobEvent) => {
    events.push(event)
    news.beat()
  }
  const { profiles, conversion } = loadConfig({ text: options.config ?? '', environment: {}, flags: {} }).config
  const profilesOf = profilesOfPath(profiles, folders.root_path)
  const max_retries = options.max_retries ?? 3
  const store = openSqliteStore({ path: join(base, 'jobs.db'), max_retries, clock: () => clock.now })
  const coordinator = createCoordinator({
    ...usualOptions(options),
    ...folders,
    store,
    settings: { ...(options.config === undefined ? settings : conversion), ...options.settings },
    profilesOf,
    clock: () => clock.now,
    onEvent,
  })
  const app = createApp({ ...coordinator, version: 'test', log: options.log ?? errorLog })
  const remote = createClient('http://master.test', async (url, init) => app.request(url, init))
  const master: TestMaster = {
    coordinator,
    api: coordinator.api,
    remote,
    app,
    store,
    events,
    async whenEnded(count) {
      const ends = new Set<string>(['completed', 'skipped', 'failed', 'cancelled'])
      await news.until(() => events.filter(({ type }) => ends.has(type)).length >= count)
    },
    ...folders,
    clock,
    async addSource(name, content = 'video') {
      const source_path = join(folders.root_path, name)
      write(source_path, content)
      await store.addSources([foundSource(source_path, folders, profilesOf, options)])
      coordinator.wake()
      return jobId(source_path)
    },
    stage: write,
  }
  opened.push(master)
  return master
}

const errorLog = createLog({ level: 'error', format: 'text', output_path: null })

/** What the same master has in most tests. */
function usualOptions({ replace, overwrite = false, log = errorLog }: TestMasterOptions) {
  return {
    replace: {
      enabled: replace !== undefined,
      keep_originals_ms: 7 * 86_400_000,
      hard_links: 'skip' as const,
      moves: systemMoves,
      ...replace,
    },
    overwrite,
    settle_time_ms: 10_000,
    worker_timeout_ms: 120_000,
    retry: { retry_delay_ms: 10_000, max_retry_delay_ms: 600_000 },
    log,
    scanReport: () => ({ running: false, last_completed_at: null, files_seen: 0, settling: 0, problems: [] }),
    version: 'test',
  }
}

/** A file as the scanner finds it. */
function foundSource(
  source_path: string,
  { root_path, output_base }: Pick<TestMaster, 'root_path' | 'output_base'>,
  profilesOf: ProfilesOfPath,
  { replace }: TestMasterOptions,
): FoundSource {
  const found = Bun.file(source_path)
  return {
    id: jobId(source_path),
    source_path,
    source_size: found.size,
    source_mtime_ms: Math.floor(found.lastModified),
    output_paths: replace
      ? replacementCandidates(source_path, 'mp4')
      : outputCandidates(source_path, root_path, output_base, 'mp4'),
    problem: null,
    rule: ruleOf(profilesOf(source_path)),
  }
}

/** Writes a file, and its folder where there is none; gives its size in bytes. */
function write(path: string, content: string | Uint8Array): number {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  return Bun.file(path).size
}
