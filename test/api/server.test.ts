import { expect, test } from 'bun:test'
import { connect } from 'node:net'
import { maxWaitSeconds, routes } from '../../src/contract/routes.ts'
import { listen } from '../../src/api/server.ts'
import { openMaster } from '../support/master.ts'

const post = (body: string) => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body })

test('bad requests get 4xx with a code and a message that names the field, and change nothing', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  const cases: [string, RequestInit, number, RegExp][] = [
    ['/api/worker/next-job', {}, 400, /worker_id/],
    ['/api/worker/next-job?worker_id=', {}, 400, /worker_id/],
    ['/api/worker/next-job?worker_id=w&wait=99999', {}, 400, /wait/],
    ['/api/worker/next-job?worker_id=w%0Ax', {}, 400, /worker_id/],
    ['/api/worker/next-job?worker_id=w', { method: 'POST' }, 405, /GET/],
    ['/api/worker/next-job?worker_id=w', { method: 'DELETE' }, 405, /GET/],
    ['/api/worker/job-complete', post('{'), 400, /JSON/],
    ['/api/worker/job-complete', post('[]'), 400, /object/],
    ['/api/worker/job-complete', post('null'), 400, /object/],
    ['/api/worker/job-complete', post('{}'), 400, /job_id.*worker_id/],
    ['/api/worker/job-complete', post(`{"job_id":"${id}","worker_id":"w","output_size":-1}`), 400, /output_size/],
    ['/api/worker/job-complete', post(`{"job_id":"${id}","worker_id":"w","output_size":"many"}`), 400, /output_size/],
    ['/api/worker/job-complete', post(`{"job_id":7,"worker_id":"w"}`), 400, /job_id/],
    ['/api/worker/heartbeat', post('{"worker_id":"w","cpu_usage":1000}'), 400, /cpu_usage/],
    ['/api/worker/heartbeat', post('{"worker_id":"w","active_jobs":"two"}'), 400, /active_jobs/],
    ['/api/worker/heartbeat', post(`{"worker_id":"w","x":"${'y'.repeat(2_000_000)}"}`), 413, /bytes/],
    ['/api/jobs?status=broken', {}, 400, /status.*pending/],
    ['/api/jobs?limit=0', {}, 400, /limit/],
    ['/api/jobs?after=nonsense', {}, 400, /after/],
    ['/api/job', {}, 400, /job_id/],
    ['/api/job?job_id=nothing', {}, 404, /nothing/],
    ['/api/status', { method: 'PUT' }, 405, /GET/],
    ['/api/nothing', {}, 404, /nothing/],
  ]
  for (const [path, init, status, message] of cases) {
    const answer = await master.app.request(path, init)
    const body = (await answer.json()) as { code: string; message: string }
    expect({ path, status: answer.status }).toEqual({ path, status })
    expect(body.code).toBeString()
    expect(body.message).toMatch(message)
  }
  expect(await master.api.status({})).toMatchObject({ pending: 1, processing: 0 })
})

test.each([
  ['GET /healthz HTTP/1.0\r\n\r\n', '{"status":"ok"}'],
  ['OPTIONS /healthz HTTP/1.0\r\n\r\n', '404 Not Found'],
  ['GET /api/jobs?status=pending HTTP/1.0\r\n\r\n', '"jobs":[]'],
  ['POST /api/retry HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}', '"retried":0'],
  ['GET //localhost/healthz HTTP/1.0\r\n\r\n', 'there is nothing at //localhost/healthz'],
])(
  'a request of HTTP/1.0 that names no host, as proxies check by, is answered as any other: %j',
  async (text, said) => {
    const server = listen(openMaster().app, { host: '127.0.0.1', port: 0 })
    try {
      const answer = await new Promise<string>((resolve, reject) => {
        let heard = ''
        const socket = connect(server.port, '127.0.0.1', () => socket.write(text))
        socket.on('data', (bytes) => (heard += bytes.toString()))
        socket.on('end', () => resolve(heard))
        socket.on('error', reject)
      })
      expect(answer).toContain(said)
    } finally {
      await server.stop()
    }
  },
)

test('HEAD hands out no job', async () => {
  const master = openMaster()
  await master.addSource('a.mkv')
  expect((await master.app.request('/api/worker/next-job?worker_id=w', { method: 'HEAD' })).status).toBe(405)
  expect(await master.api.status({})).toMatchObject({ pending: 1 })
})

test('a request that waits is answered as soon as there is work, through a real socket', async () => {
  const master = openMaster()
  const server = listen(master.app, { host: '127.0.0.1', port: 0 })
  try {
    const waiting = fetch(`${server.url}/api/worker/next-job?worker_id=w&wait=${maxWaitSeconds}`)
    await master.addSource('a.mkv')
    expect((await waiting).status).toBe(200)
  } finally {
    await server.stop()
  }
})

test('a foreign worker that hangs up while it waits is given nothing', async () => {
  const master = openMaster()
  const server = listen(master.app, { host: '127.0.0.1', port: 0 })
  try {
    const hangUp = new AbortController()
    const waiting = fetch(`${server.url}/api/worker/next-job?worker_id=w&wait=${maxWaitSeconds}`, {
      signal: hangUp.signal,
    })
    await fetch(`${server.url}/healthz`)
    hangUp.abort()
    await waiting.catch(() => {})
    await fetch(`${server.url}/healthz`)
    const id = await master.addSource('a.mkv')
    const next = (await (await fetch(`${server.url}/api/worker/next-job?worker_id=other&wait=1`)).json()) as {
      id: string
    }
    expect(next.id).toBe(id)
  } finally {
    await server.stop()
  }
})

test('a port that is taken is refused with a sentence', async () => {
  const master = openMaster()
  const server = listen(master.app, { host: '127.0.0.1', port: 0 })
  try {
    expect(() => listen(master.app, { host: '127.0.0.1', port: server.port })).toThrow(/port is taken/)
  } finally {
    await server.stop()
  }
})

test('every path of the route table is served with its method only', async () => {
  const master = openMaster()
  for (const { path, method } of Object.values(routes)) {
    const answer = await master.app.request(path, { method: method === 'GET' ? 'POST' : 'GET' })
    expect({ path, status: answer.status, allow: answer.headers.get('allow') }).toEqual({
      path,
      status: 405,
      allow: method,
    })
  }
})
