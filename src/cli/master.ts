import { announceMaster } from '../api/discovery.ts'
import { isLoopback } from '../util/loopback.ts'
import { type KeyPair, watchKeyPair } from '../api/key-pair.ts'
import { createApp, listen, type RunningServer, tryAddress } from '../api/server.ts'
import { logJobEvents } from '../master/events.ts'
import { buildMaster } from './build-master.ts'
import { openCertificate, type OwnCertificate } from './certificate.ts'
import { openDoor } from './door.ts'
import { joinAddress, tellHowToJoin } from './join-line.ts'
import type { Log } from '../util/log.ts'
import { systemdNotifier } from './notify.ts'
import { openLog } from './open-log.ts'
import { settingsOf, tellDoubts } from './settings.ts'
import { onStopSignals } from './signals.ts'
import type { CommandArgs } from './usage.ts'
import { version, versionLine } from './version.ts'

export async function run(args: CommandArgs): Promise<number> {
  const loaded = settingsOf(args, { flags: flagsOf(args) })
  const { config } = loaded
  const log = openLog(config.logging)
  tellDoubts(loaded, 'master', log)
  const master = buildMaster(config, log, logJobEvents(log))
  // Beside the queue, whose folder is there by now.
  const certificate = openCertificate(config, log)
  // What an earlier master left half done is ended before any worker can ask about it.
  await master.recover()
  const { host, port, base_path } = config.server
  // A first start that ended at its address would have made the secret, and told nobody.
  tryAddress({ host, port })
  const door = await openDoor(config, master.store, log)
  const [trusted_proxies, allowed_hosts] = [config.server.trusted_proxies ?? [], config.server.allowed_hosts ?? []]
  const app = createApp({ ...master.coordinator, version, log, ...door, base_path, trusted_proxies, allowed_hosts })
  const server = listen(app, { host, port, tls: certificate?.pair })
  const ending = new AbortController()
  const watching = certificate && followCertificate(certificate, server, log, ending.signal)
  master.scanner.start()
  const notifier = systemdNotifier(process.env, log, async () => (await master.store.totals()) !== undefined)
  notifier.ready()
  const own = { port: server.port, path: base_path, is_tls: certificate !== undefined, version }
  const silence = config.server.discovery && !isLoopback(host) ? announceMaster(own, log) : undefined
  const address = joinAddress(config.server, server.port, certificate)
  await tellHowToJoin(door.secret, address, { tokens: master.store, config_path: args.text('config') })
  log.info(`${versionLine()}: master listening on ${server.url}`, {
    root_path: config.scanner.root_path,
    ...(config.replace.enabled ? { replaces: true } : { output_base: config.scanner.output_base }),
    database: config.database.path,
  })
  await new Promise<void>((stop) => {
    onStopSignals(stop, () => process.exit(1))
  })
  notifier.stopping()
  ending.abort()
  await Promise.all([watching, silence?.()])
  log.info('stopping: answering what is in flight')
  // Waiting workers are sent home first, or the server would wait for them.
  await master.coordinator.stop()
  await server.stop()
  await master.stop()
  log.info('stopped')
  return 0
}

/** Flags whose names are not those of keys of a command that only asks. */
function flagsOf(args: CommandArgs): Record<string, true> {
  return {
    ...(args.flag('insecure') ? { 'server.insecure': true } : {}),
    ...(args.flag('self-signed') ? { 'server.self_signed': true } : {}),
  }
}

/** Shows itself by what the files of the certificate hold, also when that changes. */
function followCertificate(own: OwnCertificate, server: RunningServer, log: Log, signal: AbortSignal): Promise<void> {
  const renew = (pair: KeyPair) => {
    server.renew(pair)
    log.info(`the certificate ${own.files.cert} has changed: in use from now on`)
  }
  return watchKeyPair(own.files, renew, { log, signal })
}
