import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config/schema.ts'
import type { Tokens } from '../queue/tokens.ts'
import { nameFor, type OwnCertificate, pinToTell } from './certificate.ts'
import { holds } from './cluster-secret.ts'
import type { Door } from './door.ts'

/** How other hosts reach a master. */
export interface JoinAddress {
  url: string
  /** Of its certificate, where no root speaks for that. */
  pin: string | undefined
}

/** What to paste on a host that shall be a worker; without a token where the master asks for none. */
export function joinLine({ url, pin }: JoinAddress, token?: string): string {
  const told = { '--master': url, '--token': token, '--pin': pin }
  const flags = Object.entries(told).flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`]))
  return ['darkstream worker', ...flags].join(' ')
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

/**
 * Prints what to paste on other hosts. With the token on a terminal always, else at the first start only, and never into the
 * journal, where it would stay. Address and pin are no secrets.
 */
export async function tellHowToJoin(secret: Door['secret'], master: JoinAddress, tokens: Tokens): Promise<void> {
  const text = await howToJoin(secret, master, tokens)
  if (text !== undefined) process.stdout.write(`${text}\n`)
}

async function howToJoin(secret: Door['secret'], master: JoinAddress, tokens: Tokens): Promise<string | undefined> {
  if (secret === undefined) return master.pin === undefined ? undefined : `join a worker:\n  ${joinLine(master)}`
  const isKept = process.env['JOURNAL_STREAM'] !== undefined
  const isTold = (secret.is_new || process.stdout.isTTY) && !isKept && (await holds(secret, tokens))
  if (isTold) return `join a worker:\n  ${joinLine(master, secret.worker)}`
  const remedy = 'join a worker with a token that darkstream token create worker, on this machine, makes'
  return `${remedy}:\n  ${joinLine(master, 'TOKEN')}`
}
