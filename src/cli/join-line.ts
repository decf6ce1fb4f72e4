import { hostname, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import type { Config } from '../config/schema.ts'
import type { Answers } from './config-template.ts'
import type { Tokens } from '../queue/tokens.ts'
import { isPublic, nameFor, type OwnCertificate, pinToTell } from './certificate.ts'
import { holds } from './cluster-secret.ts'
import type { Door } from './door.ts'
import { pasteable } from './shell-quoted.ts'

/** How other hosts reach a master. */
export interface JoinAddress {
  url: string
  /** Of its certificate, where no root speaks for that. */
  pin: string | undefined
  /** Whether the root that speaks for it may be one that other hosts do not know. */
  is_private?: boolean
}

/** What to paste on a host that shall be a worker; without a token where the master asks for none. */
export function joinLine({ url, pin }: JoinAddress, token?: string): string {
  const told = { '--master': url, '--token': token, '--pin': pin }
  const flags = Object.entries(told).flatMap(([flag, value]) => (value === undefined ? [] : [`${flag} ${value}`]))
  return ['darkstream worker', ...flags].join(' ')
}

/** What a master knows of itself besides. */
interface Own {
  tokens: Tokens
  /** The file that its command line names. */
  config_path: string | undefined
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
    ...(certificate && pin === undefined && !isPublic(certificate.pair) ? { is_private: true } : {}),
  }
}

/**
 * Prints what to paste on other hosts. With the token on a terminal always, else at the first start only, and never into the
 * journal, where it would stay. Address and pin are no secrets.
 */
export async function tellHowToJoin(secret: Door['secret'], master: JoinAddress, own: Own): Promise<void> {
  const text = await howToJoin(secret, master, own)
  const root =
    master.is_private === true ? '\n  and --ca FILE on hosts that do not know the root of its certificate' : ''
  if (text !== undefined) process.stdout.write(`${text}${root}\n`)
}

async function howToJoin(secret: Door['secret'], master: JoinAddress, own: Own): Promise<string | undefined> {
  if (secret === undefined) return master.pin === undefined ? undefined : `join a worker:\n  ${joinLine(master)}`
  const isKept = process.env['JOURNAL_STREAM'] !== undefined
  const isTold = (secret.is_new || process.stdout.isTTY) && !isKept && (await holds(secret, own.tokens))
  if (isTold) return `join a worker:\n  ${joinLine(master, secret.worker)}`
  const file = own.config_path === undefined ? '' : ` --config ${pasteable(resolve(own.config_path))}`
  const remedy = `join a worker with a token that darkstream token create worker${file}, on this machine, makes`
  return `${remedy}:\n  ${joinLine(master, 'TOKEN')}`
}

/**
 * What a pasted line says, by key; undefined for one that lacks the address, has flags that are none of such a line, or
 * still has TOKEN where a token belongs.
 */
export function readJoinLine(line: string): Answers | undefined {
  const words = line
    .trim()
    .replace(/^.*?darkstream worker\b/, '')
    .trim()
    .split(/\s+/)
  const answers: Answers = {}
  for (let index = 0; index < words.length; index += 2) {
    const [flag = '', value] = words.slice(index, index + 2)
    const key = Object.hasOwn(keyOfJoinFlag, flag) ? keyOfJoinFlag[flag as keyof typeof keyOfJoinFlag] : undefined
    if (key === undefined || value === undefined || value === 'TOKEN') return undefined
    answers[key] = value
  }
  return answers['worker.master_url'] === undefined ? undefined : answers
}

const keyOfJoinFlag = {
  '--master': 'worker.master_url',
  '--master-url': 'worker.master_url',
  '--token': 'worker.token',
  '--pin': 'worker.pin',
} as const
