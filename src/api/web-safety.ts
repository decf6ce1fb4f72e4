import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { DarkstreamError } from '../contract/error.ts'
import { connectionOf } from './connection.ts'

/** No answer is a page: whatever a browser makes of one, it loads nothing, is framed by nothing and stays in no cache. */
export const answerHeaders: MiddlewareHandler = async (c, next) => {
  await secure(c, next)
  if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store')
}

const secure = secureHeaders({
  contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  referrerPolicy: 'no-referrer',
  xFrameOptions: 'DENY',
  // Which of our hosts speak TLS is for their owner to say.
  strictTransportSecurity: false,
})

/**
 * Refuses what a page of another origin asks through its visitor's browser. Browsers name the origin with every act;
 * programs send neither header.
 */
export const sameOrigin: MiddlewareHandler = async (c, next) => {
  const { method } = c.req.raw
  // The original's workers claim by GET, which any picture of a page could ask for.
  if ((method !== 'GET' && method !== 'HEAD') || c.req.path.includes('/api/worker/')) {
    const origin = c.req.header('Origin')
    const site = c.req.header('Sec-Fetch-Site')
    const { host = c.req.header('Host'), scheme } = connectionOf(c)
    const isForeign = origin !== undefined && !isOrigin(origin, host, scheme)
    const isSent = site !== undefined && site !== 'same-origin' && site !== 'none'
    if (isForeign || isSent) throw new DarkstreamError('forbidden', 'a page of another origin may not act here')
  }
  await next()
}

/** Whether a browser names this host by the origin: lower case, without the scheme's usual port. */
function isOrigin(origin: string, host: string | undefined, scheme: string | undefined): boolean {
  const named = URL.parse(origin)
  const asked = named && URL.parse(`${named.protocol}//${host}`)
  if (host === undefined || !named || asked?.host !== named.host) return false
  return scheme === undefined || `${scheme}:` === named.protocol
}
