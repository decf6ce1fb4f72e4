import type { EventEmitter } from 'node:events'
import { networkInterfaces } from 'node:os'
import Bonjour, { type ServiceConfig } from 'bonjour-service'
import { sleep } from '../util/clock.ts'

/** Milliseconds in which goodbyes are said; a socket that never opened says none. */
const closeMs = 1000

/** Networks that are spoken to at most: a host of many containers has one for each. */
const maxNetworks = 32

/** The host's addresses on its networks, one of each; undefined where the system does not say. */
export function networkAddresses(): string[] | undefined {
  try {
    const each = Object.values(networkInterfaces()).map((list) =>
      list?.find(({ family, internal }) => family === 'IPv4' && !internal),
    )
    return each.flatMap((found) => (found === undefined ? [] : [found.address])).slice(0, maxNetworks)
  } catch {
    // Where no file can be opened any more, it throws.
    return undefined
  }
}

/** Multicast DNS on one of the host's networks. */
export interface Voice {
  bonjour: Bonjour
  close: () => Promise<void>
}

/**
 * Speaks to the network of one address of this host: what is sent without a word of that leaves by the default route only,
 * and not at all where there is none. What goes wrong later, a port that another program holds for itself among it, is told.
 */
export function openVoice(address: string, onFault: (error: Error) => void): Voice {
  // Bound to the address alone, it would hear nothing that is said to the group.
  const options = { interface: address, bind: '0.0.0.0' } as Partial<ServiceConfig>
  const bonjour = new Bonjour(options, onFault)
  // The library listens to no error of its socket, and one that nobody listens to ends the program.
  const { mdns } = (bonjour as unknown as { server: { mdns: EventEmitter } }).server
  mdns.on('error', onFault)
  return { bonjour, close: () => inTime((done) => bonjour.unpublishAll(() => bonjour.destroy(done))) }
}

/** Ends when it is done or has taken too long: a socket that never opened calls nobody back. */
async function inTime(begin: (done: () => void) => void): Promise<void> {
  const ended = new AbortController()
  const done = new Promise<void>((resolve) => {
    try {
      begin(resolve)
    } catch {
      resolve()
    }
  })
  await Promise.race([done, sleep(closeMs, ended.signal)])
  ended.abort()
}
