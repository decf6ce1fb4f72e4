import { describe, expect, test } from 'bun:test'
import { connect } from 'node:net'
import { createApp, listen } from '../../src/api/server.ts'
import { createLog } from '../../src/util/log.ts'
import { openMaster } from '../support/master.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })

function open() {
  const app = createApp({ api: openMaster().api, version: '0', log, allowed_hosts: ['master'] })
  return (path: string, init: RequestInit = {}, host = 'master:8080') =>
    app.request(`http://${host}${path}`, { ...init, headers: { Host: host, ...(init.headers as object) } })
}
const retry = (headers: RequestInit['headers'] & object) => ({ method: 'POST', headers })

describe('a page of another origin', () => {
  test.each([
    [{ Origin: 'http://evil.example' }],
    [{ Origin: 'http://master:9090' }],
    [{ Origin: 'null' }],
    [{ Origin: 'http://master:8080.evil.example' }],
    [{ 'Sec-Fetch-Site': 'cross-site' }],
    [{ 'Sec-Fetch-Site': 'same-site' }],
    [{ Referer: 'http://evil.example/page' }],
    [{ Referer: 'http://master:9090/' }],
  ])('may not act: %p', async (headers) => {
    const response = await open()('/api/retry', retry(headers))
    expect([response.status, await response.json()]).toEqual([403, expect.objectContaining({ code: 'forbidden' })])
  })

  test.each([
    [{}],
    [{ Origin: 'http://master:8080' }],
    [{ Origin: 'http://MASTER:8080', 'Sec-Fetch-Site': 'same-origin' }],
    [{ 'Sec-Fetch-Site': 'none' }],
    [{ Referer: 'http://master:8080/page' }],
    [{ 'User-Agent': 'Mozilla/5.0 (Windows NT; en-US) WindowsPowerShell/5.1' }],
  ])('is told from our own and from programs: %p', async (headers) => {
    expect((await open()('/api/retry', retry(headers))).status).toBe(200)
  })
})

test('a picture of another origin claims no job, as the original’s workers do by GET', async () => {
  const ask = open()
  const image = { Origin: 'http://evil.example', 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image' }
  expect((await ask('/api/worker/next-job?worker_id=x', { headers: image })).status).toBe(403)
  expect((await ask('/api/worker/next-job?worker_id=x', { headers: { 'Sec-Fetch-Site': 'cross-site' } })).status).toBe(
    403,
  )
  expect((await ask('/api/worker/next-job?worker_id=x')).status).toBe(204)
})

describe('by plain HTTP, where browsers tell nothing of a picture’s page that hides itself,', () => {
  const firefox = { 'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0)', 'Accept-Language': 'en' }
  const next = '/api/worker/next-job?worker_id=x'

  test.each([
    [firefox],
    [{ 'Accept-Language': 'en' }],
    [{ ...firefox, Referer: 'http://evil.example/' }],
    [{ ...firefox, Referer: '' }],
  ])('no job is claimed: %p', async (headers) => {
    expect((await open()(next, { headers })).status).toBe(403)
  })

  test.each([
    [{ 'User-Agent': 'python-requests/2.32', Accept: '*/*' }],
    [{ 'User-Agent': 'Go-http-client/1.1' }],
    [{ 'User-Agent': 'node', 'Accept-Language': '*', 'Sec-Fetch-Mode': 'cors' }],
    [{ ...firefox, Referer: 'http://master:8080/' }],
    [{ ...firefox, 'Sec-Fetch-Site': 'same-origin' }],
    [{ ...firefox, Authorization: 'Bearer dsw_x' }],
  ])('programs and our own pages are heard: %p', async (headers) => {
    expect((await open()(next, { headers })).status).toBe(204)
  })
})

test.each(['/api/status', '/api/nothing', '/metrics', '/healthz'])(
  '%s is no page and stays in no cache',
  async (path) => {
    const { headers } = await open()(path)
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff')
    expect(headers.get('Content-Security-Policy')).toBe("default-src 'none'; frame-ancestors 'none'")
    expect(headers.get('X-Frame-Options')).toBe('DENY')
    expect(headers.get('Referrer-Policy')).toBe('no-referrer')
    expect(headers.get('Cache-Control')).toBe('no-store')
  },
)

test.each([
  '/../../etc/passwd',
  '/api/%2e%2e/%2e%2e/etc/passwd',
  '/api/job?job_id=../../etc/passwd',
  '/%00',
  '//etc/passwd',
])('no path leads to a file: %s', async (path) => {
  const response = await open()(path)
  expect(response.status).toBeOneOf([400, 404])
  expect(await response.text()).not.toContain('root:')
})

test('a body that does not come is not waited for', async () => {
  const app = createApp({ api: openMaster().api, version: '0', log, body_timeout_ms: 50 })
  const server = listen(app, { host: '127.0.0.1', port: 0 })
  try {
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(server.port, '127.0.0.1', () => {
        socket.write('POST /api/retry HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{')
      })
      socket.on('data', (bytes) => {
        socket.destroy()
        resolve(bytes.toString())
      })
      socket.on('error', reject)
    })
    expect(answer).toContain('408')
  } finally {
    await server.stop()
  }
})
