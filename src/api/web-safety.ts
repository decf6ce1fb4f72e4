import type { MiddlewareHandler } from 'hono'
import { secureHeaders } from 'hono/secure-headers'
import { DarkstreamError } from '../contract/error.ts'
import { isFromBrowser } from './browser.ts'
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
 * Refuses what a page of another origin asks through its visitor's browser. Browsers name the origin with every act by POST, but
 * with none by GET: there a page that hides where it is from (`no-referrer`) sends nothing of the kind over plain HTTP, so
 * that a browser must show where it is.
 */
export const sameOrigin: MiddlewareHandler = async (c, next) => {
  const { headers, method } = c.req.raw
  // The original's workers claim by GET, which any picture of a page could ask for.
  const isGet = method === 'GET' || method === 'HEAD'
  if (!isGet || c.req.path.includes('/api/worker/')) {
    const origin = headers.get('Origin') ?? headers.get('Referer')
    const site = headers.get('Sec-Fetch-Site')
    const { host = c.req.header('Host'), scheme } = connectionOf(c)
    const isForeign = origin !== null && !isOrigin(origin, host, scheme)
    const isSent = site !== null && site !== 'same-origin' && site !== 'none'
    // What no page can send to another origin: it would have to ask first, and is refused then.
    const isProgram = headers.has('Authorization') || !isFromBrowser(headers)
    const isHidden = isGet && origin === null && site === null && !isProgram
    if (isForeign || isSent) throw new DarkstreamError('forbidden', 'a page of another origin may not act here')
    if (isHidden) throw new DarkstreamError('forbidden', hidden)
  }
  await next()
}

const hidden =
  'a browser may not ask for this without telling which page does: a program that passes for one calls itself otherwise (User-Agent)'

/** Whether a browser names this host by the origin: lower case, without the scheme's usual port. */
function isOrigin(origin: string, host: string | undefined, scheme: string | undefined): boolean {
  const named = URL.parse(origin)
  const asked = named && URL.parse(`${named.protocol}//${host}`)
  if (host === undefined || !named || asked?.host !== named.host) return false
  return scheme === undefined || `${scheme}:` === named.protocol
}
