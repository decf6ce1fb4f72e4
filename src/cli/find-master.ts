import { type FoundMaster, findMasters } from '../api/discovery.ts'
import type { Fetch } from '../api/client.ts'
import type { LoadedConfig } from '../config/load.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { isMasterNamed, localMaster, workerRequest } from './local-master.ts'
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
  const { config } = settings
  const { master_url } = config.worker
  if (isMasterNamed(settings)) return master_url
  const { url: own, secret } = localMaster(config)
  if (secret !== undefined) return own
  const fallback = believesSome(config.worker) ? master_url.replace(/^http:/, 'https:') : master_url
  if (!isToLook(settings)) return fallback
  const answered = await findMasters(searchMs, signal, log)
  const [found, ...others] = believed(answered, config.worker)
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

/**
 * How a worker asks the master that it found, or was left with, at its start. Where nobody said which that is, it looks again
 * each time that it cannot be reached: one that started after the worker, or has another address since, is found then.
 */
export function followMaster(settings: LoadedConfig, first: string, signal: AbortSignal, log: Log): Fetch {
  const { config } = settings
  const start = { url: first, request: workerRequest(config, first) }
  if (!isToLook(settings) || localMaster(config).secret !== undefined) return start.request
  let current = start
  let search: Promise<void> | undefined
  return async (url, init) => {
    const asked = current
    try {
      return await asked.request(`${asked.url}${url.slice(first.length)}`, init)
    } catch (error) {
      if (init.signal?.aborted !== true && asked === current) search ??= look().finally(() => (search = undefined))
      throw error
    }
  }

  async function look(): Promise<void> {
    const [found, ...others] = believed(await findMasters(searchMs, signal, log), config.worker)
    if (signal.aborted || found === undefined || found.url === current.url) return
    if (others.length > 0) return log.warn('several masters are on this network: name one with --master-url')
    log.info(`found the master ${found.name} at ${found.url}`)
    current = { url: found.url, request: workerRequest(config, found.url) }
  }
}

/** Whether nobody said where the master is, and it may be looked for. */
function isToLook({ config, origins }: LoadedConfig): boolean {
  return config.worker.discovery && origins['worker.master_url'] === 'default'
}

function believed(answered: readonly FoundMaster[], worker: Config['worker']): FoundMaster[] {
  return answered.filter(({ url }) => !believesSome(worker) || url.startsWith('https:'))
}

/** Whether a host was told by which certificate, or by whose signature, it knows its master. */
function believesSome({ pin, ca }: Config['worker']): boolean {
  return pin !== null || ca !== null
}
