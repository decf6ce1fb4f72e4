import { expect, test } from 'bun:test'
import { createClient, refusal, withToken } from '../../src/api/client.ts'
import { DarkstreamError } from '../../src/contract/error.ts'
import { openMaster } from '../support/master.ts'
import { reason } from '../support/reason.ts'

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'nothing thrown',
    (error: unknown) => (error instanceof DarkstreamError ? error.code : String(error)),
  )
}

test('both ways to a master answer alike: over HTTP and within the process', async () => {
  const master = openMaster()
  const id = await master.addSource('a.mkv')
  expect(await master.remote.status({})).toEqual(await master.api.status({}))
  expect(await master.remote.job({ job_id: id })).toEqual(await master.api.job({ job_id: id }))
  expect(await master.remote.jobs({ search: 'a.m', limit: 5 })).toEqual(
    await master.api.jobs({ search: 'a.m', limit: 5 }),
  )
  expect(await codeOf(master.remote.job({ job_id: 'x' }))).toBe('not_found')
  expect(await codeOf(master.api.job({ job_id: 'x' }))).toBe('not_found')
  expect(await codeOf(master.remote.cancelJob({ job_id: '' }))).toBe('invalid_request')
  expect(await codeOf(master.api.cancelJob({ job_id: '' }))).toBe('invalid_request')
})

test('what a master of an earlier version does not tell yet is read as not known', async () => {
  const master = openMaster()
  const job_id = await master.addSource('a.mkv')
  const earlier = createClient('http://master.test', async (url, init) => {
    const text = await (await master.app.request(url, init)).text()
    return new Response(text.replaceAll(/,"(skipped|skip_reason|profile|source_facts|score|ran_on)":(null|0)/g, ''))
  })
  const unknown = { skip_reason: null, profile: null, source_facts: null, score: null, ran_on: null }
  expect((await earlier.job({ job_id })).job).toMatchObject(unknown)
  expect(await earlier.status({})).toEqual(await master.api.status({}))
  expect(await earlier.stats({})).toMatchObject({ jobs: { pending: 1, skipped: 0, total: 1 } })
  expect(await earlier.claim({ worker_id: 'w', boot_id: 'b', request_id: 'r' })).toMatchObject({
    id: job_id,
    ...unknown,
  })
})

test.each([
  [404, /no darkstream master .*404.*--master/],
  [413, /proxy .*413/],
  [502, /proxy .*cannot reach it .*502/],
  [500, /HTTP status 500/],
])('what a proxy says by status %i is put into words', (status, words) => {
  expect(refusal(status, undefined).message).toMatch(words)
  expect(refusal(status, { code: 'not_found', message: 'its own words' }).message).toBe('its own words')
})

test('https:// is proposed to who was never answered, and not when a master that is known cuts a line', async () => {
  using server = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: (socket) => socket.terminate() } })
  const url = `http://127.0.0.1:${server.port}`
  expect(await reason(createClient(url).status({}))).toEndWith(
    'the connection was cut (a master with TLS is asked by https://)',
  )
  const master = openMaster()
  let isAway = false
  const known = createClient(url, async (to, init) => (isAway ? fetch(to, init) : master.app.request(to, init)))
  await known.status({})
  isAway = true
  expect(await reason(known.status({}))).toEndWith('the connection was cut')
})

test("no answer, a stranger's answer and a proxy's refusal are told apart", async () => {
  const nobody = createClient('http://127.0.0.1:9')
  expect(await codeOf(nobody.status({}))).toBe('unreachable')
  const stranger = createClient('http://x', async () => Response.json({ hello: 'world' }))
  expect(await codeOf(stranger.status({}))).toBe('unreachable')
  const proxy = createClient('http://x', async () => new Response('<html>', { status: 503 }))
  expect(await codeOf(proxy.status({}))).toBe('unavailable')
  const codes = [400, 404, 409, 413].map((status) =>
    codeOf(createClient('http://x', async () => new Response('<html>', { status })).retry({})),
  )
  expect(await Promise.all(codes)).toEqual(['unavailable', 'unavailable', 'unavailable', 'unavailable'])
  const html = createClient('http://x', async () => new Response('<html>'))
  expect(await codeOf(html.status({}))).toBe('unreachable')
})

test('a base path in the URL stays, with or without a slash at its end', async () => {
  const asked: string[] = []
  const remember = async (url: string) => {
    asked.push(url)
    return Response.json({ pending: 0, processing: 0, completed: 0, failed: 0, cancelled: 0 })
  }
  await createClient('http://host/base/', remember).status({})
  await createClient('http://host/base', remember).status({})
  expect(asked).toEqual(['http://host/base/api/status', 'http://host/base/api/status'])
})

test('an aborted call throws what it was aborted with', async () => {
  const reason = new Error('enough')
  const client = createClient('http://127.0.0.1:9')
  expect(await client.status({}, AbortSignal.abort(reason)).catch((error: unknown) => error)).toBe(reason)
})

test('a redirect is not followed, by no kind of request and with no token, and the remedy is named', async () => {
  const led: string[] = []
  const other = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: (request) => new Response(void led.push(request.url)),
  })
  try {
    for (const code of [301, 302, 303, 307, 308]) {
      const fetchRedirect = () => Response.redirect(`http://127.0.0.1:${other.port}/`, code)
      const redirecting = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: fetchRedirect })
      const client = createClient(`http://127.0.0.1:${redirecting.port}`, withToken('secret'))
      for (const act of [client.status({}), client.retry({})]) {
        expect(await act.catch((error: Error) => error.message)).toContain('redirects to another')
      }
      await redirecting.stop()
    }
    expect(led).toEqual([])
  } finally {
    await other.stop()
  }
})
