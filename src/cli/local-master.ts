import { hostname, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import type { Fetch } from '../api/client.ts'
import type { LoadedConfig } from '../config/load.ts'
import { type Config, keys } from '../config/schema.ts'
import { isLoopback } from '../util/loopback.ts'
import { localPin } from './certificate.ts'
import { type ClusterSecret, readSecret } from './cluster-secret.ts'
import { masterRequest } from './master-request.ts'
import { ownToken } from './own-token.ts'

const defaultUrl = keys.get('worker.master_url')?.fallback

/** The master of this machine, as its configuration and the files beside its queue tell. */
export interface LocalMaster {
  url: string
  /** Of the certificate that lies here, which is known whatever names it has; null without one. */
  pin: string | null
  /** Undefined where the master made none, or we may not read it. */
  secret: ClusterSecret | undefined
}

/** The master whose queue lies on this machine, if any does: whether it runs is not looked at. */
export function localMaster(config: Config): LocalMaster {
  const { server, worker, database } = config
  const pin = worker.pin ?? localPin(config) ?? null
  return {
    url: `${pin === null ? 'http' : 'https'}://localhost:${server.port || 8080}${server.base_path.replace(/\/$/, '')}`,
    pin,
    // Who may read the secret of a master on this machine may do all that it can.
    secret: readSecret(resolve(database.path)),
  }
}

/**
 * Whether somebody said where the master is. Many files hold every key, so that a file's own default says nothing that the
 * rest of the file does not say better.
 */
export function isMasterNamed({ config, origins }: LoadedConfig): boolean {
  const origin = origins['worker.master_url']
  if (origin === 'default') return false
  return !('file' in origin) || config.worker.master_url !== defaultUrl
}

/** How a worker asks its master: as it was told to, and where that is this machine's, as it may know from the files here. */
export function workerRequest(config: Config, url: string): Fetch {
  const { worker, server } = config
  const { pin, secret } = isThisMachine(url) ? localMaster(config) : { pin: null, secret: undefined }
  // One that roots speak for is renewed while the worker runs.
  const known = server.tls_cert === null ? pin : null
  return masterRequest({ ...worker, pin: worker.pin ?? known }, ownToken(worker) ?? secret?.worker)
}

/** Whether an address is this machine's, so that what asks there may know its secret. */
export function isThisMachine(url: string): boolean {
  const host = new URL(url).hostname.replace(/^\[|\]$/g, '').toLowerCase()
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const name = hostname().toLowerCase()
  return isLoopback(host) || [name, `${name}.local`].includes(host) || own.some(({ address }) => address === host)
}
