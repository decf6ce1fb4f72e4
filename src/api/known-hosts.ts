import type { MiddlewareHandler } from 'hono'
import { DarkstreamError } from '../contract/error.ts'
import { hostName, isAddress } from '../util/host-name.ts'
import { isLoopback } from '../util/loopback.ts'
import { isFromBrowser } from './browser.ts'
import { connectionOf } from './connection.ts'

/** Whom a master that asks for no token is known to. */
export interface KnownHosts {
  /** Whether only this machine can reach it. */
  is_local: boolean
  /** This machine's own name. */
  hostname: string
  /** Further names that lead here, as `hostName` spells them; `*.lan` for all below one. */
  allowed_hosts: readonly string[]
}

const remedy = 'have it ask for tokens (server.insecure: false)'

/**
 * For a master that asks for no token: a name that leads here is not enough, since a page may have its own name lead here
 * (DNS rebinding). Browsers must name a host that no stranger can make lead here; where only this machine may come in, all
 * must, since a proxy could bring anybody.
 */
export function knownHostsOnly(known: KnownHosts): MiddlewareHandler {
  const isKnown = known.is_local ? isLoopback : isOurs(known.hostname)
  return async (c, next) => {
    if (known.is_local || isFromBrowser(c.req.raw.headers)) {
      // A page can say anything in what proxies say, but not in Host.
      for (const host of [c.req.header('Host'), connectionOf(c).host]) {
        if (host === undefined) continue
        const name = hostName(host)
        if (name === undefined || !(isKnown(name) || isAllowed(name, known.allowed_hosts))) {
          throw new DarkstreamError('forbidden', refusal(name ?? host, known.is_local))
        }
      }
    }
    await next()
  }
}

/** An address leads nowhere else; names without a dot, and those below .local, are the local network's to give. */
function isOurs(hostname: string): (name: string) => boolean {
  const own = hostName(hostname) ?? ''
  const [bare = ''] = own.split('.')
  return (name) => isAddress(name) || isLoopback(name) || name === own || name === bare || name === `${bare}.local`
}

function isAllowed(name: string, allowed: readonly string[]): boolean {
  return allowed.some((one) => (one.startsWith('*.') ? name.endsWith(one.slice(1)) : name === one))
}

function refusal(name: string, is_local: boolean): string {
  const asked = JSON.stringify(name.slice(0, 100))
  return is_local
    ? `this master is for this machine only: ask for it as localhost, name ${asked} in server.allowed_hosts, or ${remedy}`
    : `this master asks for no tokens, so browsers must ask for it by its address or a known name: name ${asked} in server.allowed_hosts, or ${remedy}`
}
