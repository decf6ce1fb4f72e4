import { join, resolve } from 'node:path'
import { createApp, listen, type RunningServer } from '../api/server.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { type JobEvent, logJobEvents } from '../master/events.ts'
import { ownFolder } from '../master/publish.ts'
import { Pulse } from '../util/clock.ts'
import { isLoopback } from '../util/loopback.ts'
import type { Log } from '../util/log.ts'
import { buildMaster, type Master } from './build-master.ts'
import { type BuiltWorker, buildWorker } from './build-worker.ts'
import { dryRun } from './dry-run.ts'
import { openLog } from './open-log.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import { type StartDisplay, startDisplay } from './start-display.ts'
import { openFolders, realFolder, refuseMissing, type StartFolders } from './start-folders.ts'
import { printSummary } from './start-summary.ts'
import { watch } from './start-watch.ts'
import { type CommandArgs, UsageError } from './usage.ts'
import { version } from './version.ts'

/** Master and worker in one process: the worker is handed the coordinator itself. */
export async function run(args: CommandArgs): Promise<number> {
  const folders = { source: realFolder(args.text('source')), output: resolve(args.text('output') ?? '') }
  const loaded = startSettings(args, folders)
  const { config } = loaded
  if (args.flag('dry-run')) return startDry(config, folders, args.flag('json'))
  if (args.flag('json')) throw new UsageError('--json goes with --dry-run')
  openFolders(folders)
  const once = args.flag('once')
  const display = startDisplay(process.stdout, folders)
  const log = openLog(config.logging, process.stdout.isTTY ? (line) => display.say(line.trimEnd()) : undefined)
  const news = jobNews(config, log, display)
  const master = buildMaster(config, log, news.onEvent)
  const stopping = new AbortController()
  const startedAt = performance.now()
  let built: BuiltWorker | undefined
  onStopSignals(
    () => {
      stopping.abort()
      if (built) drain(built, display)
    },
    () => built?.worker.stop(),
  )
  built = await buildWorker({ config, api: master.coordinator.api, log, signal: stopping.signal })
  if (built) await master.recover()
  const { completed: before } = (await master.store.totals()).by_status
  if (built) await convertAll({ master, loaded, log, built, display, folders, once, pulse: news.pulse })
  const code = await printSummary(master, {
    display,
    folders,
    converted: news.converted(),
    before,
    seconds: (performance.now() - startedAt) / 1000,
    once,
    interrupted: stopping.signal.aborted,
  })
  await master.stop()
  return code
}

/** What becomes of the news of jobs: they are shown, counted, logged where the log is for such, and wake who waits for them. */
function jobNews({ logging }: Config, log: Log, display: StartDisplay) {
  let converted = 0
  const pulse = new Pulse()
  const logEvent = logJobEvents(log)
  const isLogged = logging.level === 'info' || logging.level === 'debug'
  return {
    pulse,
    converted: () => converted,
    onEvent: (event: JobEvent) => {
      if (event.type === 'completed') converted++
      if (isLogged) logEvent(event)
      display.event(event)
      pulse.beat()
    },
  }
}

function drain({ worker }: BuiltWorker, display: StartDisplay): void {
  if (worker.activeJobs > 0) display.say('stopping: what is running is finished first; Ctrl-C again gives it back now')
  worker.drain()
}

/** A run whose master and worker are put together. */
interface Run {
  master: Master
  loaded: LoadedConfig
  log: Log
  built: BuiltWorker
  display: StartDisplay
  folders: StartFolders
  once: boolean
  pulse: Pulse
}

/** Scans and converts until the worker is stopped or, with `once`, until nothing is left to do. */
async function convertAll({ master, loaded, log, built, display, folders, once, pulse }: Run): Promise<void> {
  const { worker, concurrency, release } = built
  const server = listenSomewhere(master, loaded, log)
  await retrySurroundings(master)
  master.scanner.start()
  display.say(
    `${folders.source} -> ${folders.output}: ${concurrency} at a time; darkstream status --master-url ${server.url}`,
  )
  const ended = new AbortController()
  try {
    const working = worker.run().finally(() => ended.abort())
    const watching = watch(master, display, { once, pulse, signal: ended.signal })
    await Promise.all([working, watching.finally(() => worker.drain())])
  } finally {
    await release()
    await master.coordinator.stop()
    await server.stop()
    display.clear()
  }
}

async function startDry(config: Config, { source }: { source: string }, json: boolean): Promise<number> {
  refuseMissing(source)
  const stopping = new AbortController()
  onStopSignals(
    () => stopping.abort(new DarkstreamError('unavailable', 'stopped before the end')),
    () => process.exit(1),
  )
  return dryRun(config, { json, signal: stopping.signal })
}

/** What `start` sets by itself: the two folders, a queue beside the results, and a log that leaves the screen to the display. */
function startSettings(args: CommandArgs, folders: StartFolders): LoadedConfig {
  const flags = {
    'scanner.root_path': { name: 'SOURCE', value: folders.source },
    'scanner.output_base': { name: 'OUTPUT', value: folders.output },
    ...(args.flag('overwrite') ? { 'conversion.overwrite': { name: '--overwrite', value: true } } : {}),
  }
  const given = settingsOf(args, { flags, usual_file: false })
  const { config, origins } = given
  if (config.replace.enabled) {
    throw new UsageError('start only reads SOURCE; replace.enabled: true takes darkstream master and darkstream worker')
  }
  if (origins['database.path'] === 'default') config.database.path = join(folders.output, ownFolder, 'jobs.db')
  // It asks for no tokens, so others may come in only where somebody said so; most files that name a host do not mean it.
  if (!config.server.insecure && !isLoopback(config.server.host)) config.server.host = '127.0.0.1'
  if (origins['logging.level'] === 'default') config.logging.level = 'warn'
  return given
}

/** Serves the API so that `status` and the others work here too; a port that nobody chose may be any. */
function listenSomewhere(master: Master, { config, origins }: LoadedConfig, log: Log): RunningServer {
  const { host, allowed_hosts } = config.server
  const app = createApp({
    ...master.coordinator,
    version,
    log,
    is_local: isLoopback(host),
    allowed_hosts: allowed_hosts ?? [],
  })
  try {
    return listen(app, config.server)
  } catch (error) {
    if (origins['server.port'] !== 'default') throw error
    return listen(app, { host: config.server.host, port: 0 })
  }
}

/**
 * Gives another chance to what failed in an earlier run for its surroundings (a full disk, a file in the way, missing
 * rights), which may have been mended since. What is wrong with a file itself is tried again when the file changes.
 */
async function retrySurroundings({ store }: Master): Promise<void> {
  let after: string | undefined
  do {
    const page = await store.jobs({ status: 'failed', limit: 500, after })
    for (const job of page.jobs) {
      const last = (await store.attempts(job.id)).at(-1)
      const isOfFile = job.error_class === 'permanent' && last?.step !== 'stage'
      if (!isOfFile) await store.retry(job.id)
    }
    after = page.next ?? undefined
  } while (after !== undefined)
}
