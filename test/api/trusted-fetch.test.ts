import { afterEach, describe, expect, test } from 'bun:test'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import { createClient, withToken } from '../../src/api/client.ts'
import type { KeyPair } from '../../src/api/key-pair.ts'
import { createApp, listen, type RunningServer } from '../../src/api/server.ts'
import { trustedFetch, type Trust } from '../../src/api/trusted-fetch.ts'
import type { Api } from '../../src/contract/api.ts'
import { createLog } from '../../src/util/log.ts'
import { authority } from '../support/certificates.ts'
import { openMaster } from '../support/master.ts'

const log = createLog({ level: 'error', format: 'text', output_path: null })
const root = authority('our root')
const here = ['127.0.0.1', 'localhost']

function own(): KeyPair {
  return selfSigned(here, new Date())
}

let running: RunningServer[] = []
afterEach(async () => {
  await Promise.all(running.map((server) => server.stop()))
  running = []
})

/** A master on the loopback, and the tokens that reached it. */
function serve(tls?: KeyPair) {
  const tokens: string[] = []
  const guard = async (token: string) => {
    tokens.push(token)
    return { id: '1', role: 'admin' as const }
  }
  const server = listen(createApp({ api: openMaster().api, version: '0', log, guard }), {
    host: '127.0.0.1',
    port: 0,
    tls,
  })
  running.push(server)
  return { tokens, server, url: server.url }
}

/** What a client with this trust hears: a status, or why not. */
async function ask(url: string, trust: Partial<Trust>): Promise<string> {
  const client = createClient(url, withToken('secret', trustedFetch({ ca: null, pin: null, ...trust })))
  return client.status({}).then(
    () => 'ok',
    (error: Error) => error.message,
  )
}

test('a certificate that a root of ours signed for this name is believed', async () => {
  const { url, tokens } = serve(root.sign(here))
  expect(await ask(url, { ca: root.cert })).toBe('ok')
  expect(await ask(url.replace('127.0.0.1', 'localhost'), { ca: root.cert })).toBe('ok')
  expect(tokens).toEqual(['secret', 'secret'])
})

type Refused = [name: string, make: () => KeyPair | undefined, trust: Partial<Trust> | 'its own', reason: RegExp]

describe('nothing is sent, no token either,', () => {
  test.each<Refused>([
    ['to one of an unknown root', () => root.sign(here), {}, /--ca FILE.*--pin/],
    ['to one of another root', () => authority('evil').sign(here), { ca: root.cert }, /--ca FILE.*--pin/],
    [
      'to one of a root that has but the same name',
      () => authority('our root').sign(here),
      { ca: root.cert },
      /SIGNATURE|--ca/,
    ],
    ['to one that made its certificate itself', own, { ca: root.cert }, /--ca FILE.*--pin/],
    ['to one of another name', () => root.sign(['other.example']), { ca: root.cert }, /other names.*--pin/],
    ['to one whose certificate has ended', () => root.sign(here, { days: -1 }), { ca: root.cert }, /has expired/],
    [
      'to one with another pin',
      own,
      { pin: pinOf(own().cert) },
      /another certificate \(sha256:[\da-f]{64}\) than the pinned one/,
    ],
    [
      'to one of our root with another pin',
      () => root.sign(here),
      { ca: root.cert, pin: pinOf(own().cert) },
      /pinned one/,
    ],
    [
      'to one with the pin of a certificate that has ended',
      () => selfSigned(here, new Date(0)),
      'its own',
      /has expired/,
    ],
    ['without TLS where there is a pin', () => undefined, { pin: pinOf(own().cert) }, /write https:/],
  ])('%s', async (_, make, trust, reason) => {
    const tls = make()
    const { url, tokens } = serve(tls)
    const pinned = typeof trust === 'string' ? { pin: tls === undefined ? null : pinOf(tls.cert) } : trust
    expect(await ask(url, pinned)).toMatch(reason)
    expect(tokens).toEqual([])
  })
})

describe('a certificate with the pin is believed', () => {
  test.each<[string, () => KeyPair]>([
    ['that its owner made', own],
    ['of other names', () => selfSigned(['other.example'], new Date())],
    ['that an unknown root signed', () => root.sign(['other.example'])],
    [
      'with the chain to an unknown root',
      () => {
        const { cert, key } = root.sign(here)
        return { cert: cert + root.cert, key }
      },
    ],
  ])('%s', async (_, make) => {
    const tls = make()
    const { url, tokens } = serve(tls)
    expect(await ask(url, { pin: pinOf(tls.cert) })).toBe('ok')
    expect(tokens).toEqual(['secret'])
  })

  test('and another that comes to its place is not', async () => {
    const first = own()
    const { url, server, tokens } = serve(first)
    const client = createClient(url, withToken('secret', trustedFetch({ ca: null, pin: pinOf(first.cert) })))
    await client.status({})
    server.renew(own())
    expect(await client.status({}).catch((error: Error) => error.message)).toContain('than the pinned one')
    server.renew(first)
    expect(await client.status({})).toMatchObject({ pending: 0 })
    expect(tokens).toHaveLength(2)
  })
})

test('a port with TLS answers no plain request, and who asks so is told', async () => {
  const { url, tokens } = serve(own())
  expect(await ask(url.replace('https', 'http'), {})).toMatch(/cut \(a master with TLS is asked by https:/)
  const plain = serve().url.replace('http', 'https')
  for (const pin of [null, pinOf(own().cert)]) expect(await ask(plain, { pin })).toContain('without (http://)')
  expect(tokens).toEqual([])
})

test('what is in flight when the certificate changes ends as it began, and the next one meets the new', async () => {
  const [first, second] = [root.sign(here), root.sign(here)]
  const { promise: asked, resolve: arrive } = Promise.withResolvers<void>()
  const { promise: go, resolve: answer } = Promise.withResolvers<void>()
  const { api } = openMaster()
  const slow: Api = {
    ...api,
    async status(input) {
      arrive()
      await go
      return api.status(input)
    },
  }
  const server = listen(createApp({ api: slow, version: '0', log }), { host: '127.0.0.1', port: 0, tls: first })
  running.push(server)
  const fetching = trustedFetch({ ca: root.cert, pin: null })(`${server.url}/api/status`, {})
  await asked
  server.renew(second)
  const anew = trustedFetch({ ca: null, pin: pinOf(second.cert) })
  expect((await anew(`${server.url}/healthz`, {})).status).toBe(200)
  answer()
  expect((await fetching).status).toBe(200)
  expect(await (await fetching).json()).toMatchObject({ pending: 0 })
})

test('a pair that no server can be opened with leaves the old one in its place', async () => {
  const pair = root.sign(here)
  const { server, url } = serve(pair)
  expect(() => server.renew({ cert: pair.cert, key: own().key })).toThrow('cannot listen')
  expect(await ask(url, { pin: pinOf(pair.cert) })).toBe('ok')
})

test('what is not waited for any more ends at once, also before the certificate is known', async () => {
  const mute = Bun.listen({ port: 0, hostname: '127.0.0.1', socket: { data() {} } })
  try {
    const request = trustedFetch({ ca: null, pin: pinOf(own().cert) })
    const asked = new AbortController()
    const answer = request(`https://127.0.0.1:${mute.port}/`, { signal: asked.signal }).catch(
      (error: Error) => error.message,
    )
    asked.abort(new Error('enough'))
    expect(await answer).toBe('enough')
    const late = request(`https://127.0.0.1:${mute.port}/`, { signal: asked.signal }).catch(
      (error: Error) => error.message,
    )
    expect(await late).toBe('enough')
  } finally {
    mute.stop(true)
  }
})
