import type { Context, MiddlewareHandler } from 'hono'
import { type Caller, callerOf, isTrusted } from './forwarded.ts'

/** What a request carries besides itself: who sent it, and how. */
export interface Connection extends Caller {
  /** Whether it came by TLS. */
  is_tls?: boolean
  /** Ends it when nothing comes on it for a few seconds. */
  hangUp?: () => void
}

/** Of a request; without a socket nothing is known. */
export function connectionOf(c: Context): Connection {
  return (c.env ?? { address: undefined }) as Connection
}

/** Takes the word of trusted proxies for who asks. */
export function throughProxies(trusted: readonly string[]): MiddlewareHandler {
  return async (c, next) => {
    const { address, is_tls = false, ...rest } = connectionOf(c)
    const isDirect = address !== undefined && !isTrusted(address, trusted)
    const caller = callerOf(address, c.req.raw.headers, trusted)
    // Who speaks TLS with us is at an https page; what is before a proxy only the proxy knows.
    c.env = { ...rest, is_tls, ...caller, ...(isDirect && is_tls ? { scheme: 'https' } : {}) } satisfies Connection
    await next()
  }
}
