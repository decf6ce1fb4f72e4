import { expect, test } from 'bun:test'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createClient, withToken } from '../../src/api/client.ts'
import { type Program, run, start, temporaryFolder } from '../support/program.ts'

/** A master that other hosts could reach, but that asks for tokens. */
function openMaster(base = temporaryFolder(), more: Record<string, string> = {}) {
  mkdirSync(join(base, 'in'), { recursive: true })
  const environment = {
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SERVER_DISCOVERY: 'false',
    DARKSTREAM_SCANNER_ROOT_PATH: join(base, 'in'),
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(base, 'out'),
    DARKSTREAM_DATABASE_PATH: join(base, 'jobs.db'),
    ...more,
  }
  return { base, environment, master: start(['master'], { environment }) }
}

/** Of its line on this machine, whatever address it is reached at elsewhere. */
async function urlOf(master: Program): Promise<string> {
  const port = /:(\d+)\b/.exec((await master.line(/master listening on/)).split('listening on')[1] ?? '')?.[1]
  return `http://127.0.0.1:${port}`
}

const worker = (url: string, ...more: string[]) =>
  start(['worker', '--master', url, '--id', 'w', ...more], { environment: { DARKSTREAM_FFMPEG_GPU: 'off' } })

test('a master beyond this machine prints at its first start the line that joins a worker', async () => {
  const { base, environment, master } = openMaster()
  const url = await urlOf(master)
  const line = await master.line(/darkstream worker --master/)
  const token = /--token (\S+)/.exec(line)?.[1] ?? ''
  expect(line).toMatch(/^ {2}darkstream worker --master http:\/\/[\w.:[\]-]+:\d+ --token dsw_[\w-]{43}$/)
  const secret = join(base, 'jobs.db-secret')
  expect(statSync(secret).mode & 0o777).toBe(0o600)
  expect(
    await createClient(url)
      .status({})
      .catch((error: { code: string }) => error.code),
  ).toBe('unauthorized')

  const stranger = worker(url)
  expect(await stranger.ended).toBe(1)
  expect(stranger.output()).toContain('this master wants a token')
  const wrong = worker(url, '--token', `${token}x`)
  expect(await wrong.ended).toBe(1)
  expect(wrong.output()).toContain('the token does not hold here')
  expect(wrong.output()).not.toContain(token)
  const joined = worker(url, '--token', token)
  await master.line(/worker w joined/)
  const asWorker = createClient(url, withToken(token))
  expect(await asWorker.retry({}).catch((error: { code: string }) => error.code)).toBe('forbidden')

  // Who may read the secret on the master's machine needs no word.
  const port = new URL(url).port
  const status = await run(['status'], { cwd: base, environment: { ...environment, DARKSTREAM_SERVER_PORT: port } })
  expect(status.output).toContain('Active Workers: 1')
  joined.signal('SIGTERM')
  expect(await joined.ended).toBe(0)
  master.signal('SIGTERM')
  expect(await master.ended).toBe(0)
  const logged = master.output().replace(line, '')
  for (const one of Object.values(JSON.parse(readFileSync(secret, 'utf8')) as object)) expect(logged).not.toContain(one)

  expect(master.output()).not.toContain('chmod')
  chmodSync(secret, 0o644)
  const again = openMaster(base).master
  await again.line(/darkstream token create/)
  expect(again.output()).toContain(`every user of this host can read it in ${secret}: chmod o-r ${secret}`)
  expect(again.output()).not.toContain('dsw_')
}, 60_000)

test('a first start that finds its port taken leaves the line to join to the next', async () => {
  const taken = Bun.serve({ port: 0, hostname: '0.0.0.0', fetch: () => new Response() })
  const base = temporaryFolder()
  try {
    const { master } = openMaster(base, { DARKSTREAM_SERVER_PORT: String(taken.port) })
    expect(await master.ended).toBe(1)
    expect(master.output()).toContain('the port is taken')
    expect(existsSync(join(base, 'jobs.db-secret'))).toBe(false)
  } finally {
    await taken.stop(true)
  }
  expect(await openMaster(base).master.line(/darkstream worker --master/)).toMatch(/--token dsw_[\w-]{43}$/)
}, 30_000)

test("on the master's machine a worker needs no token, and its own in the file is not the owner's", async () => {
  const { base, environment, master } = openMaster()
  const url = await urlOf(master)
  const port = new URL(url).port
  const here = { ...environment, DARKSTREAM_SERVER_PORT: port, DARKSTREAM_FFMPEG_GPU: 'off' }
  // By the address that it is told, and without one.
  start(['worker', '--master', url, '--id', 'told'], { environment: here })
  await master.line(/worker told joined/)
  start(['worker', '--id', 'untold'], { environment: here })
  await master.line(/worker untold joined/)

  const secret = JSON.parse(readFileSync(join(base, 'jobs.db-secret'), 'utf8')) as { worker: string; admin: string }
  writeFileSync(join(base, 'config.yaml'), `worker: {token: ${secret.worker}}\n`)
  const retry = (more: Record<string, string> = {}, ...flags: string[]) =>
    run(['retry', '--config', join(base, 'config.yaml'), ...flags], { environment: { ...here, ...more } })
  expect(await retry()).toMatchObject({ code: 0 })
  expect(await retry({}, '--master-url', `http://localhost:${port}`)).toMatchObject({ code: 0 })
  // A file with every key says the usual address, whatever port the rest of it is about.
  writeFileSync(join(base, 'config.yaml'), 'worker: {master_url: "http://localhost:8080"}\n')
  expect(await retry()).toMatchObject({ code: 0 })
  start(['worker', '--config', join(base, 'config.yaml'), '--id', 'filed'], { environment: here })
  await master.line(/worker filed joined/)
  // A token that was given for this very call is the one that counts.
  const told = await retry({ DARKSTREAM_WORKER_TOKEN: secret.worker })
  expect(told).toMatchObject({ code: 1, output: expect.stringContaining('may not do this') })
}, 60_000)

test('the secret of the master of this machine is told to no other', async () => {
  const { environment, master } = openMaster()
  await master.line(/master listening on/)
  const heard: (string | null)[] = []
  using other = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request) {
      heard.push(request.headers.get('authorization'))
      return Response.json({ code: 'unauthorized', message: 'no' }, { status: 401 })
    },
  })
  // A name that is none of this machine's, and that a proxy here answers for.
  const url = `http://127.0.0.1.nip.invalid:${other.port}`
  const proxy = { HTTP_PROXY: `http://127.0.0.1:${other.port}`, http_proxy: `http://127.0.0.1:${other.port}` }
  await run(['status', '--master-url', url], { environment: { ...environment, ...proxy } })
  const stranger = start(['worker', '--master', url], {
    environment: { ...environment, ...proxy, DARKSTREAM_FFMPEG_GPU: 'off' },
  })
  expect(await stranger.ended).toBe(1)
  expect(heard.length).toBeGreaterThan(1)
  expect(new Set(heard)).toEqual(new Set([null]))
}, 60_000)

test('tokens are made, listed and revoked while the master runs', async () => {
  const { base, environment, master } = openMaster()
  const url = await urlOf(master)
  const token = (...args: string[]) => run(['token', ...args], { cwd: base, environment })
  const made = await token('create', 'read', '--name', 'a page', '--json')
  const { token: secret, id } = JSON.parse(made.output) as { token: string; id: string }
  const reader = createClient(url, withToken(secret))
  expect((await reader.status({})).pending).toBe(0)
  expect(await reader.retry({}).catch((error: { code: string }) => error.code)).toBe('forbidden')
  const { output } = await token('list')
  expect(output).toMatch(new RegExp(`^${id} +read +\\S+ +a page$`, 'm'))
  expect(output).not.toContain(secret)
  expect(await token('revoke', id)).toMatchObject({ code: 0 })
  expect(await reader.status({}).catch((error: { code: string }) => error.code)).toBe('unauthorized')
  expect(await token('revoke', id)).toMatchObject({ code: 1, output: expect.stringContaining('no token') })
  expect(await token('create', 'king')).toMatchObject({ code: 2 })
}, 60_000)

test('server.insecure opens it, to pages under known names only, and says so', async () => {
  const { base, master } = openMaster(temporaryFolder(), {
    DARKSTREAM_SERVER_INSECURE: 'true',
    DARKSTREAM_SERVER_ALLOWED_HOSTS: 'media.example, *.lan',
  })
  const url = await urlOf(master)
  expect(await createClient(url).status({})).toMatchObject({ pending: 0 })
  const page = (Host: string) => fetch(`${url}/api/status`, { headers: { Host, 'User-Agent': 'Mozilla/5.0 (X11)' } })
  for (const host of ['evil.example', 'lan']) expect([host, (await page(host)).status]).toEqual([host, 403])
  for (const host of ['media.example', 'a.lan', '10.0.0.1'])
    expect([host, (await page(host)).status]).toEqual([host, 200])
  expect(master.output()).toContain('whoever reaches this port may do everything')
  expect(existsSync(join(base, 'jobs.db-secret'))).toBe(false)
}, 60_000)

test('a header without end is refused', async () => {
  const { master } = openMaster(temporaryFolder(), { DARKSTREAM_SERVER_HOST: '127.0.0.1' })
  const { port } = new URL(await urlOf(master))
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(`GET /api/status HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(1 << 20)}\r\n\r\n`)
    })
    let text = ''
    socket.on('data', (bytes) => (text += bytes.toString()))
    socket.on('error', () => resolve(text))
    socket.on('close', () => resolve(text))
  })
  expect(answer).not.toContain('200 OK')
}, 60_000)
