import { hostname } from 'node:os'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getPath } from 'hono/utils/url'
import type { Api } from '../contract/api.ts'
import { DarkstreamError, httpStatusOfCode } from '../contract/error.ts'
import type { FileDesk } from '../contract/files.ts'
import { maxWaitSeconds, type Operation, routes } from '../contract/routes.ts'
import { sleep } from '../util/clock.ts'
import type { Log } from '../util/log.ts'
import { type Connection, throughProxies } from './connection.ts'
import { Doorkeeper } from './doorkeeper.ts'
import { mountFiles } from './files.ts'
import type { Guard } from './guard.ts'
import type { KeyPair } from './key-pair.ts'
import { knownHostsOnly } from './known-hosts.ts'
import { metricsText } from './metrics.ts'
import { answerHeaders, sameOrigin } from './web-safety.ts'

/** Bytes of a request's body at most: a failure report with its command line and log tail is far below. */
const maxBodyBytes = 1 << 20
/** Milliseconds that a body may take. */
const bodyTimeoutMs = 30_000
/** Milliseconds that requests in flight have when the server stops. */
const stopGraceMs = 5000

/** In the place of a path that is not below ours; no path of a request has no slash. */
const outside = 'outside'

export interface AppOptions {
  api: Api
  version: string
  log: Log
  /** The bytes of the jobs, for workers without the shared storage; without it there are none. */
  files?: FileDesk
  /** Says whose a token is; without it everybody may do everything. */
  guard?: Guard | undefined
  /** Whether only this machine can reach it. */
  is_local?: boolean
  /** Names besides this machine's own by which browsers may ask for it where nobody needs a token; none unless told. */
  allowed_hosts?: readonly string[]
  /** Below which everything lies; `/` unless told, else without a slash at its end. */
  base_path?: string
  /** Addresses and networks of proxies whose word counts for who asks; none unless told. */
  trusted_proxies?: readonly string[]
  /** Milliseconds that a body may take; half a minute unless told. */
  body_timeout_ms?: number
}

/** The contract over HTTP: every operation of the route table, health and metrics. Errors are `{code, message}`. */
export function createApp(options: AppOptions): Hono {
  const { api, version, log, guard, is_local = false, body_timeout_ms = bodyTimeoutMs } = options
  const { base_path = '/', trusted_proxies = [], allowed_hosts = [] } = options
  const app = new Hono({ getPath: (request) => pathBelow(base_path, getPath(request)) ?? outside })
  const doorkeeper = new Doorkeeper(guard, log)
  app.use(answerHeaders, throughProxies(trusted_proxies), sameOrigin)
  if (guard === undefined) app.use(knownHostsOnly({ is_local, hostname: hostname(), allowed_hosts }))
  if (options.files) mountFiles(app, options.files, doorkeeper)
  app.use(
    bodyLimit({ maxSize: maxBodyBytes, onError: () => refuse('request_too_large', `at most ${maxBodyBytes} bytes`) }),
  )
  for (const operation of Object.keys(routes) as Operation[])
    mount(app, operation, { api, doorkeeper, body_timeout_ms })
  app.get('/healthz', (c) => c.json({ status: 'ok' }))
  app.get('/readyz', async (c) => {
    // That it answers is for everybody, what it holds is not.
    const counts = await api.status({})
    const isAdmitted = await doorkeeper.admitRole(c, 'read').then(
      () => true,
      () => false,
    )
    return c.json({ status: 'ready', ...(isAdmitted ? counts : {}) })
  })
  app.get('/api/health', (c) => c.json({ status: 'ok', version }))
  app.get('/metrics', async (c) => {
    await doorkeeper.admitRole(c, 'read')
    return c.text(metricsText(await api.stats({}), await api.workers({})))
  })
  app.notFound((c) => {
    const path = getPath(c.req.raw)
    const remedy = c.req.path === outside ? `: this master answers below ${base_path}` : ''
    return errorResponse(c, new DarkstreamError('not_found', `there is nothing at ${path}${remedy}`))
  })
  app.onError((error, c) => {
    if (error instanceof DarkstreamError) return errorResponse(c, error)
    // Half a body and a hang-up are their sender's doing: a stranger must not fill the log with errors of ours.
    if (c.req.raw.signal.aborted) return errorResponse(c, new DarkstreamError('invalid_request', 'it was cut off'))
    log.error(`cannot answer ${c.req.method} ${c.req.path}: ${error.message}`, { stack: error.stack })
    return errorResponse(c, new DarkstreamError('internal', 'internal error; the log of the master says more'))
  })
  return app
}

/** Where to listen; port 0 takes any free one. */
export interface ListenAddress {
  host: string
  port: number
  /** What it shows itself by; undefined for plain HTTP. */
  tls?: KeyPair | undefined
}

export interface RunningServer {
  /** Where it listens, `http://0.0.0.0:8080`. */
  url: string
  port: number
  /**
   * Shows itself by another certificate from the next connection on; what is in flight ends as it began. Throws for one that
   * no server can be opened with, and goes on with the old one.
   */
  renew: (pair: KeyPair) => void
  /** Ends once the requests in flight are answered, or after five seconds without them. */
  stop: () => Promise<void>
}

/**
 * Listens; with a certificate by TLS only.
 *
 * @throws DarkstreamError `unavailable` when the address is taken or not ours
 */
export function listen(app: Hono, { host, port: asked, tls }: ListenAddress): RunningServer {
  const retiring = new Set<Bun.Server<unknown>>()
  let shown = tls
  let server = open(asked, tls)
  const port = server.port ?? asked
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    renew(pair) {
      // Bun can give a running server other routes, but no other certificate. The port is free from the moment of the stop.
      const old = server
      retiring.add(old)
      void old.stop().then(() => retiring.delete(old))
      try {
        server = open(port, pair)
        shown = pair
      } catch (error) {
        server = open(port, shown)
        throw error
      }
    },
    stop: async () => void (await Promise.all([server, ...retiring].map(stop))),
  }

  function open(at: number, pair: KeyPair | undefined): Bun.Server<unknown> {
    return serve({ host, port: at, tls: pair }, (request, own) => {
      const address = own.requestIP(request)?.address
      const connection: Connection = { address, is_tls: pair !== undefined, hangUp: () => own.timeout(request, 1) }
      return app.fetch(withHost(request), connection)
    })
  }
}

/**
 * Listens for a moment, and answers nobody.
 *
 * @throws DarkstreamError as `listen` does; its cause has the code of the system, `EADDRINUSE` for a port that is taken
 */
export function tryAddress(address: ListenAddress): void {
  void serve(address, () => new Response(null, { status: 503 })).stop(true)
}

function serve(
  { host, port, tls }: ListenAddress,
  answer: (request: Request, own: Bun.Server<unknown>) => Response | Promise<Response>,
): Bun.Server<unknown> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      ...(tls ? { tls } : {}),
      // Longer than the longest wait for a job; a connection that is silent for longer is dead.
      idleTimeout: maxWaitSeconds + 10,
      // The limit of the app tells in words what Bun's own would not.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      fetch: answer,
    })
  } catch (error) {
    const name = host.includes(':') ? `[${host}]` : host
    const where = port === 0 ? name : `${name}:${port}`
    throw new DarkstreamError('unavailable', `cannot listen on ${where}: ${whyDeaf(error)}`, { cause: error })
  }
}

function whyDeaf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return 'the port is taken: set server.port'
  if (code === 'EADDRNOTAVAIL' || code === 'EINVAL') return 'this machine has no such address: set server.host'
  return code === 'EACCES' ? 'ports below 1024 are for root: set server.port' : message
}

/** As a request is read: HTTP/1.0 may leave out the host, as haproxy's checks do, and Bun then gives its path as the whole URL. */
function withHost(request: Request): Request {
  return request.url.startsWith('/') ? new Request(`http://localhost${request.url}`, request) : request
}

/** Lets the requests in flight end, but not for ever: one that was half sent may never be whole. */
async function stop(server: Bun.Server<unknown>): Promise<void> {
  const ended = new AbortController()
  await Promise.race([server.stop(), sleep(stopGraceMs, ended.signal)])
  ended.abort()
  await server.stop(true)
}

/** What is left of a path below another; undefined for one beside it. */
function pathBelow(base: string, path: string): string | undefined {
  if (base === '/') return path
  return path === base ? '/' : path.startsWith(`${base}/`) ? path.slice(base.length) : undefined
}

interface MountParts {
  api: Api
  doorkeeper: Doorkeeper
  body_timeout_ms: number
}

/** One operation at its path; any other method there is told which one it takes. */
function mount<K extends Operation>(app: Hono, operation: K, parts: MountParts): void {
  const { api, doorkeeper, body_timeout_ms } = parts
  const { method, path } = routes[operation]
  app.all(path, async (c) => {
    // Hono answers HEAD through GET, which would hand out a job to nobody.
    if (c.req.raw.method !== method) {
      c.header('Allow', method)
      throw new DarkstreamError('method_not_allowed', `${path} takes ${method}`)
    }
    await doorkeeper.admit(c, operation)
    const query = readQuery(c)
    const input = method === 'GET' ? query : { ...query, ...(await readBody(c, body_timeout_ms)) }
    const answer = api[operation] as (input: unknown, signal: AbortSignal) => Promise<unknown>
    const reply = await doorkeeper.whileLetIn(c, operation, (shut) =>
      answer(input, AbortSignal.any([c.req.raw.signal, shut])),
    )
    return reply === null ? c.body(null, 204) : c.json(reply)
  })
}

/** `?status=&limit=` asks for nothing in particular. */
function readQuery(c: Context): Record<string, string> {
  try {
    // Hono takes bytes that are no text as they are written, and a worker would get a name of per cent signs.
    decodeURIComponent(new URL(c.req.url).search)
  } catch (error) {
    throw new DarkstreamError('invalid_request', 'the query is not percent-encoded UTF-8', { cause: error })
  }
  return Object.fromEntries(Object.entries(c.req.query()).filter(([, value]) => value !== ''))
}

async function readBody(c: Context, timeout_ms: number): Promise<Record<string, unknown>> {
  const text = decoded(await inTime(c.req.arrayBuffer(), timeout_ms))
  if (text.trim() === '') return {}
  const body = parseJson(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new DarkstreamError('invalid_request', 'the body must be a JSON object')
  }
  return body as Record<string, unknown>
}

/** A body that comes a byte a minute would hold its connection for ever. */
async function inTime(body: Promise<ArrayBuffer>, timeout_ms: number): Promise<ArrayBuffer> {
  const read = new AbortController()
  const late = sleep(timeout_ms, read.signal).then(() => undefined)
  const bytes = await Promise.race([body, late]).finally(() => read.abort())
  if (bytes === undefined) throw new DarkstreamError('request_timeout', 'the body did not come in time')
  return bytes
}

function decoded(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new DarkstreamError('invalid_request', 'the body is not UTF-8', { cause: error })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new DarkstreamError('invalid_request', `the body is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

function errorResponse(c: Context, error: DarkstreamError): Response {
  return c.json({ code: error.code, message: error.message }, httpStatusOfCode[error.code])
}

function refuse(code: 'request_too_large', message: string): never {
  throw new DarkstreamError(code, message)
}
