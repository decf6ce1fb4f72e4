import { afterAll, describe, expect, test } from 'bun:test'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { pinOf } from '../../src/api/certificate.ts'
import { authority } from '../support/certificates.ts'
import { executable, start, temporaryFolder } from '../support/program.ts'

/** Two hosts on one wire with no way out, each a network namespace; discovery must not leave this machine. */
const [one, other] = [`dsd${process.pid}a`, `dsd${process.pid}b`]
const ip = (...args: string[]) => Bun.spawnSync(['ip', ...args], { stdout: 'ignore', stderr: 'ignore' }).success
const on = (space: string) => ({ prefix: ['ip', 'netns', 'exec', space] })

function openWire(): boolean {
  if (process.getuid?.() !== 0 || Bun.which('ip') === null) return false
  const hosts = [
    [one, '10.77.0.1/24'],
    [other, '10.77.0.2/24'],
  ] as const
  return (
    hosts.every(([space]) => ip('netns', 'add', space)) &&
    ip('link', 'add', 'wire', 'netns', one, 'type', 'veth', 'peer', 'name', 'wire', 'netns', other) &&
    hosts.every(
      ([space, address]) =>
        ip('-n', space, 'addr', 'add', address, 'dev', 'wire') &&
        ip('-n', space, 'link', 'set', 'lo', 'up') &&
        ip('-n', space, 'link', 'set', 'wire', 'up'),
    )
  )
}

function master(environment: Record<string, string> = {}) {
  const base = temporaryFolder()
  mkdirSync(join(base, 'in'))
  const config = {
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SERVER_INSECURE: 'true',
    DARKSTREAM_SCANNER_ROOT_PATH: join(base, 'in'),
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(base, 'out'),
    DARKSTREAM_DATABASE_PATH: join(base, 'jobs.db'),
    ...environment,
  }
  return { base, ...start(['master'], { ...on(one), environment: config }) }
}

function worker(environment: Record<string, string> = {}) {
  return start(['worker', '--id', 'finder'], {
    ...on(other),
    environment: { DARKSTREAM_FFMPEG_GPU: 'off', ...environment },
  })
}

/** The beginning of a program of its own that speaks on the wire. */
const speak = (address: string) =>
  `const wire = new (require('bonjour-service').default)({ interface: '${address}', bind: '0.0.0.0' });`

function closeWire(): void {
  for (const space of [one, other]) ip('netns', 'del', space)
}

const isOpen = openWire()
if (!isOpen) closeWire()

describe.skipIf(!isOpen)('on a network of two hosts', () => {
  afterAll(closeWire)

  test('a worker that was told no address finds the master', async () => {
    const found = master()
    await found.line(/master listening on/)
    const finder = worker()
    expect(await finder.line(/found the master/)).toContain('http://10.77.0.1:')
    await found.line(/worker finder joined/)
  }, 60_000)

  test('a worker that was there first finds the master that comes, and again at another address', async () => {
    const finder = worker()
    await finder.line(/no master answered/)
    const first = master()
    await first.line(/worker finder joined/)
    first.signal('SIGKILL')
    await first.ended
    ip('-n', one, 'addr', 'del', '10.77.0.1/24', 'dev', 'wire')
    ip('-n', one, 'addr', 'add', '10.77.0.9/24', 'dev', 'wire')
    try {
      const moved = master()
      await moved.line(/master listening on/)
      const [url = ''] = /http:\S+$/.exec(await finder.line(/found the master .*http:\/\/10\.77\.0\.9:/)) ?? []
      const asked = ['netns', 'exec', one, executable, 'workers', '--master-url', url]
      while (
        !Bun.spawnSync(['ip', ...asked])
          .stdout.toString()
          .includes('finder')
      )
        await Bun.sleep(100)
    } finally {
      ip('-n', one, 'addr', 'del', '10.77.0.9/24', 'dev', 'wire')
      ip('-n', one, 'addr', 'add', '10.77.0.1/24', 'dev', 'wire')
    }
  }, 120_000)

  test('a master whose port for discovery another program holds says so once, serves, and stops', async () => {
    const holder = Bun.spawn(
      [
        ...on(one).prefix,
        process.execPath,
        '-e',
        `require('dgram').createSocket('udp4').bind(5353, () => console.log('bound'))`,
      ],
      { env: { ...process.env, BUN_BE_BUN: '1' } },
    )
    try {
      for await (const line of holder.stdout) if (String(line) !== '') break
      const deaf = master()
      expect(await deaf.line(/cannot be found by discovery/)).toContain('EADDRINUSE')
      await deaf.line(/master listening on/)
      deaf.signal('SIGTERM')
      expect(await deaf.ended).toBe(0)
      expect(deaf.output().match(/EADDRINUSE/g)).toHaveLength(1)
    } finally {
      holder.kill()
      await holder.exited
    }
  }, 60_000)

  test('what answers in a name that is no line is shown in one, and hosts are named as multicast DNS names them', async () => {
    const stranger = `wire.publish({ name: 'a\\nb\\u001b[31m', type: 'darkstream', port: 9, probe: false, txt: { path: '/' } })`
    const odd = Bun.spawn(['ip', 'netns', 'exec', one, process.execPath, '-e', `${speak('10.77.0.1')} ${stranger}`])
    try {
      expect(await worker().line(/found the master/)).toMatch(
        /found the master a\?b\?\[31m at http:\/\/10\.77\.0\.1:9$/,
      )
    } finally {
      odd.kill()
      await odd.exited
    }
    const told = master()
    await told.line(/master listening on/)
    const look = `wire.find({ type: 'darkstream' }, ({ host }) => { console.log(host); process.exit() })`
    const browse = `${speak('10.77.0.2')} const look = () => { ${look} }; look(); setInterval(look, 1000)`
    const { stdout } = Bun.spawnSync(['ip', 'netns', 'exec', other, process.execPath, '-e', browse], {
      timeout: 20_000,
    })
    expect(stdout.toString()).toBe(`${hostname().split('.')[0]}.local\n`)
  }, 60_000)

  test('it does not choose between two', async () => {
    const both = [master(), master()]
    await Promise.all(both.map((each) => each.line(/master listening on/)))
    const finder = worker()
    expect(await finder.ended).toBe(1)
    expect(finder.output()).toMatch(/several masters are on this network: .*http:\/\/10\.77\.0\.1:.*--master-url/)
  }, 60_000)

  test('a master that is told to keep still is not found, and a worker that is told so does not look', async () => {
    const still = master({ DARKSTREAM_SERVER_DISCOVERY: 'false' })
    await still.line(/master listening on/)
    expect(await worker().line(/no master answered/)).toContain('http://localhost:8080')
    const blind = worker({ DARKSTREAM_WORKER_DISCOVERY: 'false' })
    await blind.line(/worker finder, /)
    expect(blind.output()).not.toContain('local network')
  }, 60_000)

  test('a master with TLS is found as such, and only the one with the pin is believed', async () => {
    const secure = master({ DARKSTREAM_SERVER_SELF_SIGNED: 'true', DARKSTREAM_SERVER_BASE_PATH: '/dark' })
    await secure.line(/master listening on/)
    const pin = pinOf(readFileSync(join(secure.base, 'jobs.db-tls.pem'), 'utf8'))
    const finder = worker({ DARKSTREAM_WORKER_PIN: pin })
    expect(await finder.line(/found the master/)).toMatch(/https:\/\/10\.77\.0\.1:\d+\/dark$/)
    await secure.line(/worker finder joined/)
    const other = worker({ DARKSTREAM_WORKER_PIN: `sha256:${'0'.repeat(64)}` })
    expect(await other.line(/will go on trying/)).toContain('than the pinned one')
  }, 60_000)

  test('who is to know the master by a certificate takes none without TLS that answers, and sends it nothing', async () => {
    const plain = master()
    await plain.line(/master listening on/)
    const root = join(plain.base, 'root.pem')
    writeFileSync(root, authority('our root').cert)
    for (const trust of [{ DARKSTREAM_WORKER_PIN: `sha256:${'0'.repeat(64)}` }, { DARKSTREAM_WORKER_CA: root }]) {
      const careful = worker({ ...trust, DARKSTREAM_WORKER_TOKEN: 'dsw_x' })
      expect(await careful.line(/no master with TLS/)).toContain('trying https://localhost:8080')
      careful.signal('SIGTERM')
      careful.signal('SIGTERM')
      await careful.ended
    }
    expect(plain.output()).not.toContain('worker finder joined')
  }, 60_000)
})
