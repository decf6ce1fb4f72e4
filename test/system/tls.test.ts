import { expect, test } from 'bun:test'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import { createClient } from '../../src/api/client.ts'
import { trustedFetch } from '../../src/api/trusted-fetch.ts'
import { authority } from '../support/certificates.ts'
import { eventually, type Program, run, start, temporaryFolder } from '../support/program.ts'

/** A master with TLS that other hosts could reach. */
function openMaster(base: string, args: readonly string[], more: Record<string, string> = {}) {
  mkdirSync(join(base, 'in'), { recursive: true })
  const environment = {
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SERVER_DISCOVERY: 'false',
    DARKSTREAM_SCANNER_ROOT_PATH: join(base, 'in'),
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(base, 'out'),
    DARKSTREAM_DATABASE_PATH: join(base, 'queue', 'jobs.db'),
    ...more,
  }
  return { environment, master: start(['master', ...args], { environment }) }
}

async function portOf(master: Program): Promise<string> {
  return /https:\/\/[^ ]*:(\d+)/.exec(await master.line(/master listening on/))?.[1] ?? ''
}

const worker = (...args: string[]) =>
  start(['worker', '--id', 'w', ...args], { environment: { DARKSTREAM_FFMPEG_GPU: 'off' } })

test('a master that makes its own certificate prints its pin; the line joins a worker, another pin does not', async () => {
  // Nobody has made the queue's folder yet.
  const base = join(temporaryFolder(), 'new')
  const { environment, master } = openMaster(base, ['--self-signed'])
  const port = await portOf(master)
  const line = await master.line(/darkstream worker --master/)
  expect(line).toMatch(/^ {2}darkstream worker --master https:\/\/\S+ --token dsw_\S+ --pin sha256:[\da-f]{64}$/)
  const [, token = '', pin = ''] = /--token (\S+) --pin (\S+)$/.exec(line) ?? []
  const kept = join(base, 'queue', 'jobs.db-tls.pem')
  expect(statSync(kept).mode & 0o777).toBe(0o600)
  expect(pinOf(readFileSync(kept, 'utf8'))).toBe(pin)

  const at = ['--master', `https://127.0.0.1:${port}`, '--token', token]
  const wrong = worker(...at, '--pin', pinOf(selfSigned(['localhost'], new Date()).cert))
  expect(await wrong.line(/will go on trying/)).toContain('than the pinned one')
  const blind = worker(...at, '--id', 'blind')
  expect(await blind.line(/will go on trying/)).toContain('--pin sha256:')
  for (const each of [wrong, blind]) {
    each.signal('SIGTERM')
    each.signal('SIGTERM')
    await each.ended
  }
  const joined = worker(...at, '--pin', pin)
  await master.line(/worker w joined/)

  // On the master's machine its certificate is known, whether the configuration or a flag asked for it.
  const own = { cwd: base, environment: { ...environment, DARKSTREAM_SERVER_PORT: port } }
  expect((await run(['status'], own)).output).toContain('Active Workers: 1')
  joined.signal('SIGTERM')
  expect(await joined.ended).toBe(0)
  master.signal('SIGTERM')
  expect(await master.ended).toBe(0)

  const again = openMaster(base, [], { DARKSTREAM_SERVER_SELF_SIGNED: 'true' }).master
  expect(await again.line(/darkstream worker --master/)).toEndWith(` --token TOKEN --pin ${pin}`)
  const client = createClient(`https://127.0.0.1:${await portOf(again)}`, trustedFetch({ ca: null, pin }))
  // It is known, and wants a token.
  expect(await client.status({}).catch((error: { code: string }) => error.code)).toBe('unauthorized')
}, 60_000)

test('a master shows itself by its files, and by new ones without a restart; a root of ours is named by --ca', async () => {
  const base = temporaryFolder()
  const [root, evil] = [authority('our root'), authority('evil root')]
  const files = { cert: join(base, 'cert.pem'), key: join(base, 'key.pem'), root: join(base, 'root.pem') }
  const place = ({ cert, key }: { cert: string; key: string }) => {
    writeFileSync(files.cert, cert)
    writeFileSync(files.key, key)
  }
  writeFileSync(files.root, root.cert)
  place(root.sign(['localhost', '127.0.0.1']))
  const config = join(base, 'config.yaml')
  writeFileSync(config, `server:\n  insecure: true\n  tls:\n    cert: ${files.cert}\n    key: ${files.key}\n`)
  const { environment, master } = openMaster(base, ['--config', config])
  const url = `https://localhost:${await portOf(master)}`
  const status = (...more: string[]) => run(['status', '--master-url', url, ...more], { cwd: base, environment })
  expect(await status()).toMatchObject({ code: 1, output: expect.stringContaining('--ca FILE') })
  expect(await status('--ca', files.root)).toMatchObject({ code: 0 })
  expect(await status('--ca', join(base, 'none.pem'))).toMatchObject({
    code: 1,
    output: expect.stringContaining('there is no such file'),
  })
  expect(await status('--ca', files.key)).toMatchObject({ code: 1, output: expect.stringContaining('no certificate') })
  expect(await status('--pin', 'sha256:12')).toMatchObject({
    code: 2,
    output: expect.stringContaining('64 hexadecimal'),
  })

  const joined = worker('--master', url, '--ca', files.root)
  await master.line(/worker w joined/)
  writeFileSync(files.key, 'half a k')
  await master.line(/the certificate of before stays in use/)
  expect(await status('--ca', files.root)).toMatchObject({ code: 0 })
  place(evil.sign(['localhost']))
  await master.line(/has changed: in use from now on/)
  expect(await status('--ca', files.root)).toMatchObject({ code: 1 })
  const next = root.sign(['localhost'])
  place(next)
  await eventually(async () => (await status('--pin', pinOf(next.cert))).code === 0)
  joined.signal('SIGTERM')
  expect(await joined.ended).toBe(0)
}, 60_000)

test('a master that asks for no token tells its pin all the same', async () => {
  const open = openMaster(temporaryFolder(), ['--self-signed', '--insecure']).master
  const [, url = '', pin = ''] = /--master (https:\S+) --pin (sha256:\S+)$/.exec(await open.line(/--pin/)) ?? []
  const joined = worker('--master', url, '--pin', pin)
  await open.line(/worker w joined/)
  joined.signal('SIGTERM')
  expect(await joined.ended).toBe(0)
}, 60_000)

test('a certificate without its key, or one that is not there, keeps a master from starting', async () => {
  const base = temporaryFolder()
  const { cert, key } = selfSigned(['localhost'], new Date())
  const [certFile, keyFile] = [join(base, 'cert.pem'), join(base, 'key.pem')]
  writeFileSync(certFile, cert)
  const half = openMaster(base, [], { DARKSTREAM_SERVER_TLS_CERT: certFile }).master
  expect(await half.ended).toBe(2)
  expect(half.output()).toContain('found no key (server.tls_key)')
  const both = { DARKSTREAM_SERVER_TLS_CERT: certFile, DARKSTREAM_SERVER_TLS_KEY: keyFile }
  const missing = openMaster(base, [], both).master
  expect(await missing.ended).toBe(1)
  expect(missing.output()).toMatch(/cannot read .*key\.pem: there is no such file/)
  writeFileSync(keyFile, key)
  const two = openMaster(base, ['--self-signed'], both).master
  expect(await two.ended).toBe(2)
  expect(two.output()).toContain('has a certificate already')
  rmSync(certFile)
}, 60_000)
