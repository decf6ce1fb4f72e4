import { hostname } from 'node:os'
import type { Service } from 'bonjour-service'
import { sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { networkAddresses, openVoice, type Voice } from './multicast.ts'

/** DNS-SD: `_darkstream._tcp.local`. */
const serviceType = 'darkstream'

/** Masters that are told of at most. */
const maxFound = 100

/** Milliseconds between two looks at which networks this host is on. */
const lookMs = 2000

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

/**
 * Answers those who look for a master on the networks of this host, also on those that come later. Gives what ends that.
 */
export function announceMaster(announcement: Announcement, log: Log): () => Promise<void> {
  const ending = new AbortController()
  const announced = announceUntil(ending.signal, announcement, log)
  return async () => {
    ending.abort()
    await announced
  }
}

async function announceUntil(signal: AbortSignal, { port, path, is_tls, version }: Announcement, log: Log) {
  const voices = new Map<string, Voice>()
  const told = new Set<string>()
  const txt = { path, tls: is_tls ? '1' : '0', version }
  // The library's probe prints to the console; host and port are a name of their own.
  // Multicast DNS knows hosts below .local alone.
  const host = `${hostname().split('.')[0]}.local`
  const service = { name: `${hostname()}:${port}`, host, type: serviceType, port, txt, probe: false }
  while (!signal.aborted) {
    const addresses = networkAddresses() ?? [...voices.keys()]
    for (const address of addresses.filter((each) => !voices.has(each))) {
      const voice = openVoice(address, (error) => tellOnce(`the master cannot be found by discovery: ${error.message}`))
      voice.bonjour.publish(service)
      voices.set(address, voice)
    }
    for (const [address, voice] of [...voices].filter(([each]) => !addresses.includes(each))) {
      voices.delete(address)
      void voice.close()
    }
    await sleep(lookMs, signal)
  }
  await Promise.all([...voices.values()].map((voice) => voice.close()))

  function tellOnce(fault: string): void {
    if (!told.has(fault)) log.warn(fault)
    told.add(fault)
  }
}

/** The masters that answer on the networks of this host within the time, milliseconds; each once, in the order of their names. */
export async function findMasters(wait_ms: number, signal: AbortSignal, log: Log): Promise<FoundMaster[]> {
  const found = new Map<string, FoundMaster>()
  const voices = (networkAddresses() ?? []).map((address) =>
    openVoice(address, (error) => log.debug(`discovery: ${error.message}`)),
  )
  const searches = voices.map(({ bonjour }) =>
    bonjour.find({ type: serviceType }, (service) => {
      const url = urlOf(service)
      if (url !== undefined && found.size < maxFound) found.set(service.name, { name: printable(service.name), url })
    }),
  )
  await sleep(wait_ms, signal)
  for (const search of searches) search.stop()
  await Promise.all(voices.map((voice) => voice.close()))
  return [...found.values()].toSorted((one, other) => (one.name < other.name ? -1 : 1))
}

/** Anybody may answer, and the name is shown to people. */
function printable(name: string): string {
  return name.replaceAll(/\p{C}/gu, '?')
}

/** By the address that the answer came from: of all that a host has, that one is known to reach it. */
function urlOf({ port, referer, addresses, txt }: Service): string | undefined {
  const address = referer?.address ?? addresses?.[0]
  if (address === undefined || port === 0) return undefined
  const { path = '/', tls } = (txt ?? {}) as { path?: unknown; tls?: unknown }
  // Anybody may answer: what is no path could name another host.
  if (!/^\/[\w./-]{0,200}$/.test(String(path))) return undefined
  const host = address.includes(':') ? `[${address}]` : address
  const url = URL.parse(`${tls === '1' ? 'https' : 'http'}://${host}:${port}${String(path)}`)
  return url?.href.replace(/\/+$/, '')
}
