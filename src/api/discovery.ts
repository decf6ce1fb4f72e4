import { hostname } from 'node:os'
import Bonjour, { type Service } from 'bonjour-service'
import { sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'

/** DNS-SD: `_darkstream._tcp.local`. */
const serviceType = 'darkstream'

/** Masters that are told of at most. */
const maxFound = 100

/** What a master tells its local network of itself. It holds no secret: whoever listens learns where to knock. */
export interface Announcement {
  port: number
  /** Below which the API lies, `/` unless a proxy says otherwise. */
  path: string
  is_tls: boolean
  version: string
}

/** A master that answered. */
export interface FoundMaster {
  /** As it calls itself: its host and port. */
  name: string
  url: string
}

/** Answers those who look for a master on the local network, by multicast DNS. Gives what ends that. */
export function announceMaster({ port, path, is_tls, version }: Announcement, log: Log): () => Promise<void> {
  const responder = new Bonjour({}, (error: Error) =>
    log.warn(`the master cannot be found by discovery: ${error.message}`),
  )
  const txt = { path, tls: is_tls ? '1' : '0', version }
  // The library's probe prints to the console; host and port are a name of their own.
  const service = responder.publish({ name: `${hostname()}:${port}`, type: serviceType, port, txt, probe: false })
  return async () => {
    await new Promise<void>((done) => service.stop(() => done()))
    await new Promise<void>((done) => responder.destroy(() => done()))
  }
}

/** The masters that answer on the local network within the time, milliseconds; each once, in the order of their names. */
export async function findMasters(wait_ms: number, signal: AbortSignal, log: Log): Promise<FoundMaster[]> {
  const found = new Map<string, FoundMaster>()
  const browser = new Bonjour({}, (error: Error) => log.debug(`discovery: ${error.message}`))
  const search = browser.find({ type: serviceType }, (service) => {
    const url = urlOf(service)
    if (url !== undefined && found.size < maxFound) found.set(service.name, { name: service.name, url })
  })
  await sleep(wait_ms, signal)
  search.stop()
  await new Promise<void>((done) => browser.destroy(() => done()))
  return [...found.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** By the address that the answer came from: of all that a host has, that one is known to reach it. */
function urlOf({ port, referer, addresses, txt }: Service): string | undefined {
  const address = referer?.address ?? addresses?.[0]
  if (address === undefined) return undefined
  const { path = '/', tls } = (txt ?? {}) as { path?: unknown; tls?: unknown }
  // Anybody may answer: what is no path could name another host.
  if (!/^\/[\w./-]{0,200}$/.test(String(path))) return undefined
  const host = address.includes(':') ? `[${address}]` : address
  const url = URL.parse(`${tls === '1' ? 'https' : 'http'}://${host}:${port}${String(path)}`)
  return url?.href.replace(/\/+$/, '')
}
