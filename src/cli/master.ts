import { announceMaster } from '../api/discovery.ts'
import { isLoopback } from '../api/loopback.ts'
import { createApp, listen } from '../api/server.ts'
import { logJobEvents } from '../master/events.ts'
import type { Config } from '../config/schema.ts'
import type { Tokens } from '../queue/tokens.ts'
import { buildMaster } from './build-master.ts'
import { type ClusterSecret, holds, joinLine, reachableUrl } from './cluster-secret.ts'
import { openDoor } from './door.ts'
import type { Log } from '../util/log.ts'
import { systemdNotifier } from './notify.ts'
import { openLog } from './open-log.ts'
import { settingsOf } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'
import { version, versionLine } from './version.ts'

export async function run(args: CommandArgs): Promise<number> {
  const { config } = settingsOf(args, args.flag('insecure') ? { flags: { 'server.insecure': true } } : {})
  const log = openLog(config.logging)
  const master = buildMaster(config, log, logJobEvents(log))
  // What an earlier master left half done is ended before any worker can ask about it.
  await master.recover()
  const door = await openDoor(config, master.store, log)
  const server = listen(createApp({ api: master.coordinator.api, version, log, ...door }), config.server)
  master.scanner.start()
  const notifier = systemdNotifier(process.env, log, async () => (await master.store.totals()) !== undefined)
  notifier.ready()
  const silence = config.server.discovery && !isLoopback(config.server.host) ? announce(server.port, log) : undefined
  if (door.secret) await tellJoinLine(door.secret, config, server.port, master.store)
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

/**
 * What to paste on other hosts: on a terminal always, else at the first start only, and never into the journal, where it
 * would stay.
 */
async function tellJoinLine(
  secret: ClusterSecret & { is_new: boolean },
  { server }: Config,
  port: number,
  tokens: Tokens,
) {
  const remedy = 'darkstream token create worker, on this machine, makes a token to join with'
  const isKept = process.env['JOURNAL_STREAM'] !== undefined
  const isTold = (secret.is_new || process.stdout.isTTY) && !isKept && (await holds(secret, tokens))
  const line = isTold ? `join a worker:\n  ${joinLine(reachableUrl(server.host, port), secret.worker)}` : remedy
  process.stdout.write(`${line}\n`)
}

function announce(port: number, log: Log): () => Promise<void> {
  return announceMaster({ port, path: '/', is_tls: false, version }, log)
}
