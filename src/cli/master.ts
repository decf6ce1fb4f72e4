import { announceMaster } from '../api/discovery.ts'
import { isLoopback } from '../api/loopback.ts'
import { createApp, listen } from '../api/server.ts'
import { logJobEvents } from '../master/events.ts'
import { buildMaster } from './build-master.ts'
import type { Log } from '../util/log.ts'
import { systemdNotifier } from './notify.ts'
import { openLog } from './open-log.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'
import { version, versionLine } from './version.ts'

export async function run(args: CommandArgs): Promise<number> {
  const { config } = settingsOf(args)
  const log = openLog(config.logging)
  const master = buildMaster(config, log, logJobEvents(log))
  // What an earlier master left half done is ended before any worker can ask about it.
  await master.recover()
  const server = listen(createApp({ api: master.coordinator.api, version, log }), config.server)
  master.scanner.start()
  const notifier = systemdNotifier(process.env, log, async () => (await master.store.totals()) !== undefined)
  notifier.ready()
  const silence = config.server.discovery && !isLoopback(config.server.host) ? announce(server.port, log) : undefined
  log.info(`${versionLine()}: master listening on ${server.url}`, {
    root_path: config.scanner.root_path,
    ...(config.replace.enabled ? { replaces: true } : { output_base: config.scanner.output_base }),
    database: config.database.path,
  })
  await new Promise<void>((stop) => {
    onStopSignals(stop, () => process.exit(1))
  })
  notifier.stopping()
  await silence?.()
  log.info('stopping: answering what is in flight')
  // Waiting workers are sent home first, or the server would wait for them.
  await master.coordinator.stop()
  await server.stop()
  await master.stop()
  log.info('stopped')
  return 0
}

function announce(port: number, log: Log): () => Promise<void> {
  return announceMaster({ port, path: '/', is_tls: false, version }, log)
}
