import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config/schema.ts'
import { nameFor, type OwnCertificate, pinToTell } from './certificate.ts'

/** How other hosts reach a master. */
export interface JoinAddress {
  url: string
  /** Of its certificate, where no root speaks for that. */
  pin: string | undefined
}

/** What to paste on a host that shall be a worker. */
export function joinLine({ url, pin }: JoinAddress, token: string): string {
  return `darkstream worker --master ${url} --token ${token}${pin === undefined ? '' : ` --pin ${pin}`}`
}

/** An address of a master as other hosts can reach it: of one that listens everywhere, this host's own. */
export function joinAddress(server: Config['server'], port: number, certificate?: OwnCertificate): JoinAddress {
  const isEverywhere = server.host === '0.0.0.0' || server.host === '::'
  const own = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  const host = isEverywhere ? (own?.address ?? hostname()) : server.host
  const pin = certificate && pinToTell(certificate.pair)
  // Who has no pin knows the master by a name of its certificate.
  const name = certificate && pin === undefined ? (nameFor(certificate.pair, host) ?? host) : host
  const scheme = certificate ? 'https' : 'http'
  return {
    url: `${scheme}://${name.includes(':') ? `[${name}]` : name}:${port}${server.base_path.replace(/^\/$/, '')}`,
    pin,
  }
}
