import { afterEach, describe, expect, test } from 'bun:test'
import { hostname } from 'node:os'
import { createClient } from '../../src/api/client.ts'
import { type AppOptions, createApp, listen, type RunningServer } from '../../src/api/server.ts'
import { hostName } from '../../src/util/host-name.ts'
import { createLog } from '../../src/util/log.ts'
import { openMaster } from '../support/master.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })
const guard = async (token: string) => (token === 'good' ? { id: '1', role: 'admin' as const } : undefined)
const own = hostName(hostname()) ?? ''
const bare = own.split('.')[0] ?? ''

/** What Firefox sends for a page's fetch by plain HTTP to the page's own host: neither Origin nor Sec-Fetch-*. */
const firefox = {
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  Accept: '*/*',
  'Accept-Language': 'en-US,en;q=0.5',
  'Accept-Encoding': 'gzip, deflate',
}

const running: RunningServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop()
})

function serve(options: Partial<AppOptions> = {}): RunningServer {
  const app = createApp({ api: openMaster().api, version: '0', log, ...options })
  const server = listen(app, { host: '127.0.0.1', port: 0 })
  running.push(server)
  return server
}

/** What a master answers to one who asks for it by a name. */
async function asked(url: string, host: string, headers: Record<string, string>, path = '/api/status') {
  const response = await fetch(url + path, { headers: { ...headers, Host: host } })
  return { status: response.status, text: await response.text() }
}

describe('a browser at an open master', () => {
  test('comes in by an address, by this machine’s name, and by the names that are allowed', async () => {
    const { url } = serve({ allowed_hosts: ['media.example', '*.lan'] })
    const hosts = ['10.0.0.7:8080', '[fd00::7]:8080', 'localhost:8080', 'localhost.', '[::ffff:127.0.0.1]', bare, own]
    for (const host of [
      ...hosts,
      `${bare.toUpperCase()}.local:8080`,
      'Media.Example:99',
      'media.example.',
      'a.b.lan',
    ]) {
      expect([host, (await asked(url, host, firefox)).status]).toEqual([host, 200])
    }
  })

  test('is refused by any other name, whatever it asks for, with the key that allows one', async () => {
    const { url } = serve({ allowed_hosts: ['media.example', '*.lan'] })
    const near = [`${bare}.evil.example`, `x${bare}`, 'a.media.example', 'lan', 'xlan', `${bare}.local.evil.example`]
    for (const host of ['evil.example:8080', '10.0.0.7.evil.example', 'localhost.evil.example', '1.2.3.4.5', ...near]) {
      expect([host, (await asked(url, host, firefox)).status]).toEqual([host, 403])
    }
    for (const path of ['/healthz', '/readyz', '/metrics', '/api/worker/next-job?worker_id=x', '/nowhere']) {
      expect([path, (await asked(url, 'evil.example', firefox, path)).status]).toEqual([path, 403])
    }
    const { text } = await asked(url, 'evil.example:8080', firefox)
    expect(JSON.parse(text)).toEqual({
      code: 'forbidden',
      message: expect.stringContaining('name "evil.example" in server.allowed_hosts'),
    })
  })

  /** What Firefox 140 and Chromium 150 sent to the page's own host for requests by which it tried to pass for a program. */
  test.each<[string, Record<string, string>]>([
    ['Firefox, as curl', { 'User-Agent': 'curl/8', 'Accept-Language': 'en-US,en;q=0.5' }],
    ['Firefox, as curl without a language', { 'User-Agent': 'curl/8', 'Accept-Language': '' }],
    ['Firefox, as nobody who accepts nothing', { 'User-Agent': '', 'Accept-Language': '', Accept: '' }],
    ['Firefox, as Node', { 'User-Agent': 'node', 'Accept-Language': '*' }],
    ['Firefox, in a worker', { 'User-Agent': 'x', 'Accept-Language': '', Referer: 'http://evil.example/' }],
    ['Chromium, as curl', { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0.0.0' }],
    ['either, with a form', { 'User-Agent': 'x', Origin: 'http://evil.example' }],
    ['either, by TLS', { 'User-Agent': 'x', 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }],
  ])('is known as one whatever the page calls itself: %s', async (_, headers) => {
    expect((await asked(serve().url, 'evil.example', headers)).status).toBe(403)
  })

  test('that names itself through a proxy is refused by either name', async () => {
    const { url } = serve({ trusted_proxies: ['127.0.0.1'], allowed_hosts: ['media.example'] })
    const through = (host: string, told: string) => asked(url, host, { ...firefox, 'X-Forwarded-Host': told })
    expect((await through('127.0.0.1:8080', 'media.example')).status).toBe(200)
    expect((await through('127.0.0.1:8080', 'evil.example')).status).toBe(403)
    // On the proxy's own machine the page says what a proxy would.
    expect((await through('evil.example', 'media.example')).status).toBe(403)
  })

  test('needs no known name where the master asks for tokens', async () => {
    const { url } = serve({ guard })
    const page = await asked(url, 'media.example', { ...firefox, Authorization: 'Bearer good' })
    expect(page.status).toBe(200)
    expect((await asked(url, 'evil.example', firefox)).status).toBe(401)
  })
})

describe('programs at an open master come in under any name', () => {
  test('workers and commands', async () => {
    const { url } = serve()
    const named = createClient(url, (address, init) => {
      return fetch(address, { ...init, headers: { ...(init.headers as object), Host: 'storage.example' } })
    })
    expect(await named.status({})).toMatchObject({ pending: 0 })
  })

  /** As they were seen to send them; Bun's own fetch, which sends these, adds nothing that browsers alone send. */
  test.each([
    ['curl', { 'User-Agent': 'curl/7.88.1', Accept: '*/*' }],
    ['Python', { 'User-Agent': 'Python-urllib/3.11', 'Accept-Encoding': 'identity', Connection: 'close' }],
    ['Go', { 'User-Agent': 'Go-http-client/1.1', 'Accept-Encoding': 'gzip' }],
    ['Node', { 'User-Agent': 'node', Accept: '*/*', 'Accept-Language': '*', 'Sec-Fetch-Mode': 'cors' }],
  ])('%s', async (_, headers) => {
    const { url } = serve()
    for (const path of ['/api/status', '/api/worker/next-job?worker_id=x', '/metrics']) {
      const { status } = await asked(url, 'storage.example', headers, path)
      expect([path, status]).toEqual([path, path.includes('next-job') ? 204 : 200])
    }
  })

  test.skipIf(Bun.which('curl') === null)('curl itself', async () => {
    const { port } = serve()
    const argv = ['curl', '--silent', '--resolve', `storage.example:${port}:127.0.0.1`]
    const child = Bun.spawn([...argv, `http://storage.example:${port}/api/status`], { stdout: 'pipe' })
    expect(JSON.parse(await child.stdout.text())).toMatchObject({ pending: 0 })
  })
})

describe('a master for this machine alone', () => {
  test('answers only to names of this machine, whoever asks', async () => {
    const { url } = serve({ is_local: true })
    for (const host of [
      'localhost:8080',
      'localhost.',
      '127.0.0.1:8080',
      '[::1]:8080',
      '[::ffff:127.0.0.1]',
      'LOCALHOST',
    ]) {
      expect([host, (await asked(url, host, {})).status]).toEqual([host, 200])
      expect([host, (await asked(url, host, firefox)).status]).toEqual([host, 200])
    }
    for (const host of ['evil.example', 'evil.example:8080', 'localhost.evil.example', '10.0.0.1:8080', bare]) {
      expect([host, (await asked(url, host, {})).status]).toEqual([host, 403])
    }
    expect((await asked(url, 'evil.example', {})).text).toContain('server.allowed_hosts')
  })

  test('answers to those that its owner allows, too', async () => {
    const { url } = serve({ is_local: true, allowed_hosts: ['media.example'] })
    expect((await asked(url, 'media.example', firefox)).status).toBe(200)
    expect((await asked(url, 'evil.example', firefox)).status).toBe(403)
  })
})
