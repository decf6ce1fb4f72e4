import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createApp, listen, type RunningServer } from '../api/server.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { type JobEvent, logJobEvents } from '../master/events.ts'
import { ownFolder } from '../master/publish.ts'
import { Pulse, sleep } from '../util/clock.ts'
import { isLoopback } from '../util/loopback.ts'
import type { Log } from '../util/log.ts'
import { buildMaster, type Master } from './build-master.ts'
import { type BuiltWorker, buildWorker } from './build-worker.ts'
import { dryRun } from './dry-run.ts'
import { openLog } from './open-log.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import { type StartDisplay, startDisplay } from './start-display.ts'
import { printSummary } from './start-summary.ts'
import { type CommandArgs, UsageError } from './usage.ts'
import { version } from './version.ts'

/** Milliseconds between two pictures of the moment, and between two looks at whether all is done. */
const tickMs = 500

/** Master and worker in one process: the worker is handed the coordinator itself. */
export async function run(args: CommandArgs): Promise<number> {
  const folders = { source: realFolder(args.text('source')), output: resolve(args.text('output') ?? '') }
  const loaded = startSettings(args, folders)
  const { config } = loaded
  if (args.flag('dry-run')) return startDry(config, folders, args.flag('json'))
  if (args.flag('json')) throw new UsageError('--json goes with --dry-run')
  openFolders(folders)
  const display = startDisplay(process.stdout, folders)
  const log = openLog(config.logging, process.stdout.isTTY ? (line) => display.say(line.trimEnd()) : undefined)
  let converted = 0
  const pulse = new Pulse()
  const logEvent = logJobEvents(log)
  const onEvent = (event: JobEvent) => {
    if (event.type === 'completed') converted++
    if (config.logging.level === 'info' || config.logging.level === 'debug') logEvent(event)
    display.event(event)
    pulse.beat()
  }
  const master = buildMaster(config, log, onEvent)
  const stopping = new AbortController()
  const startedAt = performance.now()
  const completed = async () => (await master.store.totals()).by_status.completed
  const finish = async (before: number) => {
    const code = await printSummary(master, {
      display,
      folders,
      converted,
      before,
      seconds: (performance.now() - startedAt) / 1000,
      once: args.flag('once'),
      interrupted: stopping.signal.aborted,
    })
    await master.stop()
    return code
  }
  let built: BuiltWorker | undefined
  onStopSignals(
    () => {
      stopping.abort()
      if (built === undefined) return
      if (built.worker.activeJobs > 0)
        display.say('stopping: what is running is finished first; Ctrl-C again gives it back now')
      built.worker.drain()
    },
    () => built?.worker.stop(),
  )
  built = await buildWorker({ config, api: master.coordinator.api, log, signal: stopping.signal })
  if (built === undefined) return finish(await completed())
  const { worker, concurrency, release } = built
  await master.recover()
  const server = listenSomewhere(master, loaded, log)
  const before = await completed()
  await retrySurroundings(master)
  master.scanner.start()
  display.say(
    `${folders.source} -> ${folders.output}: ${concurrency} at a time; darkstream status --master-url ${server.url}`,
  )
  const ended = new AbortController()
  try {
    const working = worker.run().finally(() => ended.abort())
    const watching = watch(master, display, { once: args.flag('once'), pulse, signal: ended.signal })
    await Promise.all([working, watching.finally(() => worker.drain())])
  } finally {
    await release()
    await master.coordinator.stop()
    await server.stop()
    display.clear()
  }
  return finish(before)
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

/** Behind all links: the same folder is the same queue, whatever way leads to it. What is not there is told later. */
function realFolder(given: string | undefined): string {
  const path = resolve(given ?? '')
  return existsSync(path) ? realpathSync(path) : path
}

/** Makes sure of the two folders: the source must be there and readable, the output is made. */
function openFolders({ source, output }: { source: string; output: string }): void {
  refuseMissing(source)
  attempt(`write to OUTPUT ${output}`, () => {
    mkdirSync(join(output, ownFolder), { recursive: true })
    accessSync(join(output, ownFolder), constants.W_OK)
    accessSync(output, constants.W_OK)
  })
}

function refuseMissing(source: string): void {
  const found = statSync(source, { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw new UsageError(`SOURCE ${source} is not a folder`)
  attempt(`read SOURCE ${source}`, () => accessSync(source, constants.R_OK | constants.X_OK))
}

/** Does what the system may refuse, and says so in a sentence when it does. */
function attempt(what: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new DarkstreamError('unavailable', `cannot ${what}: ${why}`, { cause: error })
  }
}

/** What `start` sets by itself: the two folders, a queue beside the results, and a log that leaves the screen to the display. */
function startSettings(args: CommandArgs, folders: { source: string; output: string }): LoadedConfig {
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

/** Draws until the signal, or, with `once`, until nothing is left to do. */
async function watch(
  master: Master,
  display: StartDisplay,
  { once, pulse, signal }: { once: boolean; pulse: Pulse; signal: AbortSignal },
): Promise<void> {
  let isScanned = false
  const scanned = async () => {
    await master.scanner.whenSettled(signal)
    isScanned = true
    pulse.beat()
  }
  if (once) void scanned()
  let drawnAt = 0
  while (!signal.aborted) {
    const next = pulse.next()
    const { by_status, awaiting_retry } = await master.store.totals()
    if (isScanned && by_status.pending + by_status.processing + awaiting_retry === 0) return
    if (display.isLive && performance.now() - drawnAt >= tickMs) {
      drawnAt = performance.now()
      await drawNow(master, display)
    }
    await sleep(tickMs, AbortSignal.any([signal, next]))
  }
}

async function drawNow(master: Master, display: StartDisplay): Promise<void> {
  const { api } = master.coordinator
  const [stats, running] = await Promise.all([api.stats({}), api.jobs({ status: 'processing', limit: 64 })])
  display.draw(stats, running.jobs)
}
