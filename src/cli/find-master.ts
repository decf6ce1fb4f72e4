import { findMasters } from '../api/discovery.ts'
import type { LoadedConfig } from '../config/load.ts'
import { DarkstreamError } from '../contract/error.ts'
import { localMaster } from './local-master.ts'
import type { Log } from '../util/log.ts'

/** Milliseconds in which a master on the local network answers, and answers again when the first packet was lost. */
const searchMs = 3000

/**
 * The address of a worker's master: as configured, else this machine's own, else the one that answers on the local network,
 * else the default, this machine.
 *
 * @throws DarkstreamError `conflict` when several answer: only a person knows which is meant
 */
export async function masterUrlOf({ config, origins }: LoadedConfig, signal: AbortSignal, log: Log): Promise<string> {
  const { master_url, discovery } = config.worker
  if (origins['worker.master_url'] !== 'default') return master_url
  const { url, secret } = localMaster(config)
  if (secret !== undefined) return url
  if (!discovery) return master_url
  const [found, ...others] = await findMasters(searchMs, signal, log)
  if (found === undefined) {
    log.info(`no master answered on the local network: trying ${master_url} (name another with --master-url)`)
    return master_url
  }
  if (others.length > 0) {
    const list = [found, ...others].map(({ name, url }) => `${name} (${url})`).join(', ')
    throw new DarkstreamError('conflict', `several masters are on this network: ${list}; name one with --master-url`)
  }
  log.info(`found the master ${found.name} at ${found.url}`)
  return found.url
}
