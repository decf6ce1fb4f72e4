import { findMasters } from '../api/discovery.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { isMasterNamed, localMaster } from './local-master.ts'
import type { Log } from '../util/log.ts'

/** Milliseconds in which a master on the local network answers, and answers again when the first packet was lost. */
const searchMs = 3000

/**
 * The address of a worker's master: as configured, else this machine's own, else the one that answers on the local network,
 * else the default, this machine. Anybody may answer: a worker that was told whom to believe takes none that cannot show a
 * certificate.
 *
 * @throws DarkstreamError `conflict` when several answer: only a person knows which is meant
 */
export async function masterUrlOf(settings: LoadedConfig, signal: AbortSignal, log: Log): Promise<string> {
  const { config, origins } = settings
  const { master_url, discovery } = config.worker
  if (isMasterNamed(settings)) return master_url
  const { url: own, secret } = localMaster(config)
  if (secret !== undefined) return own
  const fallback = believesSome(config.worker) ? master_url.replace(/^http:/, 'https:') : master_url
  if (!discovery || origins['worker.master_url'] !== 'default') return fallback
  const answered = await findMasters(searchMs, signal, log)
  const [found, ...others] = answered.filter(({ url }) => !believesSome(config.worker) || url.startsWith('https:'))
  if (found === undefined) {
    const who =
      answered.length > 0
        ? `no master with TLS, as ${config.worker.pin === null ? 'worker.ca' : 'worker.pin'} wants one,`
        : 'no master'
    log.info(`${who} answered on the local network: trying ${fallback} (name another with --master-url)`)
    return fallback
  }
  if (others.length > 0) {
    const list = [found, ...others].map(({ name, url }) => `${name} (${url})`).join(', ')
    throw new DarkstreamError('conflict', `several masters are on this network: ${list}; name one with --master-url`)
  }
  log.info(`found the master ${found.name} at ${found.url}`)
  return found.url
}

/** Whether a host was told by which certificate, or by whose signature, it knows its master. */
function believesSome({ pin, ca }: Config['worker']): boolean {
  return pin !== null || ca !== null
}
