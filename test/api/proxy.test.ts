import { afterEach, describe, expect, test } from 'bun:test'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import { createClient, withToken } from '../../src/api/client.ts'
import type { KeyPair } from '../../src/api/key-pair.ts'
import { type AppOptions, createApp, listen, type RunningServer } from '../../src/api/server.ts'
import { trustedFetch } from '../../src/api/trusted-fetch.ts'
import { createLog } from '../../src/util/log.ts'
import { openMaster } from '../support/master.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })
const guard = async (token: string) => (token === 'good' ? { id: '1', role: 'admin' as const } : undefined)

const running: (RunningServer | Bun.Server<unknown>)[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

/** A master on the loopback. */
function serve(options: Partial<AppOptions> = {}, tls?: KeyPair): RunningServer {
  const server = listen(createApp({ api: openMaster().api, version: '0', log, ...options }), {
    host: '127.0.0.1',
    port: 0,
    tls,
  })
  running.push(server)
  return server
}

interface ProxyOptions {
  tls?: KeyPair
  /** Begin of its paths that the master does not get. */
  strips?: string
  /** What it adds to each request. */
  headers?: (request: Request, address: string) => Record<string, string>
}

const usual = (request: Request, address: string) => ({
  'X-Forwarded-For': [request.headers.get('X-Forwarded-For'), address].filter((part) => part !== null).join(', '),
  'X-Forwarded-Host': request.headers.get('Host') ?? '',
  'X-Forwarded-Proto': new URL(request.url).protocol.slice(0, -1),
})

/** A reverse proxy in front of a master, with a name of its own for it. */
function proxy(master: RunningServer, { tls, strips = '', headers = usual }: ProxyOptions = {}): string {
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    ...(tls ? { tls } : {}),
    async fetch(request, own) {
      const { pathname, search } = new URL(request.url)
      if (!pathname.startsWith(strips)) return new Response('nothing here', { status: 404 })
      const sent = new Headers(request.headers)
      for (const [name, value] of Object.entries(headers(request, own.requestIP(request)?.address ?? ''))) {
        sent.set(name, value)
      }
      sent.set('Host', 'upstream')
      const { method } = request
      const body = method === 'GET' ? null : await request.arrayBuffer()
      return fetch(`${master.url}${pathname.slice(strips.length)}${search}`, { method, headers: sent, body })
    },
  })
  running.push(server)
  return `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`
}

const status = (url: string, headers: Record<string, string> = {}) => fetch(`${url}/api/status`, { headers })
const act = (url: string, headers: Record<string, string>) =>
  fetch(`${url}/api/retry`, { method: 'POST', headers }).then((response) => response.status)

describe('below a path', () => {
  test('everything lies there, and beside it nothing', async () => {
    const { url } = serve({ base_path: '/media/dark' })
    for (const path of ['/api/status', '/healthz', '/readyz', '/api/health', '/metrics']) {
      expect([path, (await fetch(`${url}/media/dark${path}`)).status]).toEqual([path, 200])
      const beside = await fetch(url + path)
      expect([path, beside.status]).toEqual([path, 404])
      expect(beside.headers.get('X-Content-Type-Options')).toBe('nosniff')
      expect(await beside.json()).toMatchObject({ code: 'not_found', message: expect.stringContaining('/media/dark') })
    }
    for (const path of ['/media/darkness/api/status', '/media/api/status', '/MEDIA/dark/api/status', '/media/dark']) {
      expect([path, (await fetch(url + path)).status]).toEqual([path, 404])
    }
    expect(await createClient(`${url}/media/dark/`).retry({ limit: 1 })).toMatchObject({})
  })

  test('a proxy with TLS may pass the path on or take it off', async () => {
    const tls = selfSigned(['media.example'], new Date())
    const request = withToken('good', trustedFetch({ ca: null, pin: pinOf(tls.cert) }))
    const trusted_proxies = ['127.0.0.0/8']
    const passing = proxy(serve({ guard, trusted_proxies, base_path: '/dark' }), { tls })
    expect(await createClient(`${passing}/dark`, request).status({})).toMatchObject({ pending: 0 })
    const taking = proxy(serve({ guard, trusted_proxies }), { tls, strips: '/dark' })
    expect(await createClient(`${taking}/dark`, request).status({})).toMatchObject({ pending: 0 })
  })
})

/** How many of 60 wrong tokens were answered before the rest was put off. */
async function guesses(url: string, header: (index: number) => Record<string, string>): Promise<number> {
  let answered = 0
  for (let index = 0; index < 60; index++) {
    const { status: code } = await status(url, { Authorization: 'Bearer wrong', ...header(index) })
    if (code === 401) answered++
  }
  return answered
}

describe('guesses at tokens', () => {
  test('count by who sends them through a trusted proxy, whatever he writes himself', async () => {
    const master = serve({ guard, trusted_proxies: ['127.0.0.1'] })
    const behind = proxy(master, { headers: (request) => usual(request, '9.9.9.9') })
    expect(await guesses(behind, (index) => ({ 'X-Forwarded-For': `1.2.3.${index}` }))).toBeLessThan(60)
  })

  test('of one do not keep out another', async () => {
    const master = serve({ guard, trusted_proxies: ['127.0.0.1'] })
    const from = (address: string) => proxy(master, { headers: () => ({ 'X-Forwarded-For': address }) })
    expect(await guesses(from('1.2.3.4'), () => ({}))).toBeLessThan(60)
    expect((await status(from('5.6.7.8'), { Authorization: 'Bearer wrong' })).status).toBe(401)
    expect((await status(from('1.2.3.4'), { Authorization: 'Bearer wrong' })).status).toBe(429)
    expect((await status(from('1.2.3.4'), { Authorization: 'Bearer good' })).status).toBe(200)
  })

  test('count by the connection where no proxy is trusted', async () => {
    expect(await guesses(serve({ guard }).url, (index) => ({ 'X-Forwarded-For': `1.2.3.${index}` }))).toBeLessThan(60)
  })
})

const sees = (scheme: string, host = 'media.example') => ({
  headers: () => ({ 'X-Forwarded-For': '1.2.3.4', 'X-Forwarded-Host': host, 'X-Forwarded-Proto': scheme }),
})

describe('the origin of an act is held against what the browser asked for', () => {
  const tls = selfSigned(['media.example'], new Date())
  test('behind a trusted proxy', async () => {
    const master = serve({ trusted_proxies: ['127.0.0.1'], allowed_hosts: ['upstream', 'media.example'] })
    const [https, http] = [proxy(master, sees('https')), proxy(master, sees('http'))]
    expect(await act(https, { Origin: 'https://media.example' })).toBe(200)
    expect(await act(https, { Origin: 'https://media.example:443' })).toBe(200)
    expect(await act(https, { Origin: 'http://media.example' })).toBe(403)
    expect(await act(https, { Origin: 'https://media.example:8443' })).toBe(403)
    expect(await act(https, { Origin: 'https://upstream' })).toBe(403)
    expect(await act(https, { Origin: 'https://evil.example', 'X-Forwarded-Host': 'evil.example' })).toBe(403)
    expect(await act(http, { Origin: 'http://media.example' })).toBe(200)
    const other = proxy(master, sees('https', 'Media.example:8443'))
    expect(await act(other, { Origin: 'https://media.example:8443' })).toBe(200)
  })

  test('a stranger cannot say what it was', async () => {
    const { url, port } = serve({ trusted_proxies: ['10.0.0.1'] })
    expect(await act(url, { Origin: 'https://evil.example', 'X-Forwarded-Host': 'evil.example' })).toBe(403)
    expect(await act(url, { Origin: `http://127.0.0.1:${port}`, 'X-Forwarded-Host': 'evil.example' })).toBe(200)
  })

  test('with TLS of our own a page without is of another origin', async () => {
    const { url, port } = serve({}, tls)
    const request = trustedFetch({ ca: null, pin: pinOf(tls.cert) })
    const from = async (origin: string) =>
      (await request(`${url}/api/retry`, { method: 'POST', headers: { Origin: origin } })).status
    expect(await from(`https://127.0.0.1:${port}`)).toBe(200)
    expect(await from(`http://127.0.0.1:${port}`)).toBe(403)
  })
})

test('a master for this machine alone is not opened to the world by a proxy that is trusted', async () => {
  const master = serve({ is_local: true, trusted_proxies: ['127.0.0.1'] })
  const asking = (host: string) => proxy(master, { headers: () => ({ 'X-Forwarded-Host': host }) })
  const local = { Host: 'localhost' }
  expect(
    (await fetch(`${master.url}/api/status`, { headers: { ...local, 'X-Forwarded-Host': 'media.example' } })).status,
  ).toBe(403)
  expect(
    (await fetch(`${master.url}/api/status`, { headers: { ...local, 'X-Forwarded-Host': 'localhost' } })).status,
  ).toBe(200)
  expect((await status(asking('media.example'))).status).toBe(403)
})
