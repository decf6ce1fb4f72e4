import { describe, expect, test } from 'bun:test'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selfSigned } from '../../src/api/certificate.ts'
import { checkHost } from '../../src/cli/check-host.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openSqliteStore } from '../../src/queue/sqlite/sqlite-store.ts'
import { systemClock } from '../../src/util/clock.ts'
import { authority } from '../support/certificates.ts'
import { temporaryFolder } from '../support/program.ts'

type Role = 'master' | 'worker'

/** What is found on this host for a file, as `fault` or `doubt` with line, key and sentence. */
async function found(text: string, role?: Role, file = 'c.yaml') {
  const { faults, doubts } = await checkHost(loadConfig({ file, text, environment: {}, flags: {} }), role)
  const rows = (kind: string, list: typeof faults) => list.map(({ line, key, message }) => [kind, line, key, message])
  return [...rows('fault', faults), ...rows('doubt', doubts)]
}

/** A folder in which everything of a master is in order, and its configuration. */
function orderly() {
  const base = temporaryFolder()
  mkdirSync(join(base, 'in'))
  const scanner = `scanner: {root_path: ${base}/in, output_base: ${base}/out}`
  const text = (more = '') => `database: {path: ${base}/q/jobs.db}\n${scanner}\n${more}`
  const write = (name: string, content: string, mode = 0o600) => {
    writeFileSync(join(base, name), content, { mode })
    return join(base, name)
  }
  return { base, text, write }
}

const noQueue = (words: string) => [['fault', 1, 'database.path', expect.stringContaining(words)]]

describe('for a master', () => {
  test('an orderly host has all it needs, and nothing is made on it', async () => {
    const { base, text } = orderly()
    expect(await found(text('server: {self_signed: true, port: 0}'), 'master')).toEqual([])
    expect(readdirSync(base)).toEqual(['in'])
  })

  test('a certificate is there, readable, whole, its key’s, and holds', async () => {
    const { text, write } = orderly()
    const [mine, other] = [selfSigned(['a'], new Date()), selfSigned(['a'], new Date())]
    const [cert, key] = [write('cert.pem', mine.cert), write('key.pem', mine.key)]
    const tls = (names: string) => text(`server:\n  tls: {${names}}\n`)
    expect(await found(tls(`cert: ${cert}, key: ${key}`), 'master')).toEqual([])
    const wrong: [string, string][] = [
      [`cert: /nowhere.pem, key: ${key}`, 'cannot read /nowhere.pem: there is no such file'],
      [`cert: ${cert}, key: /`, 'cannot read /: it is a folder'],
      [`cert: ${key}, key: ${key}`, 'holds no certificate in PEM'],
      [`cert: ${cert}, key: ${cert}`, 'holds no private key in PEM'],
      [`cert: ${cert}, key: ${write('other.pem', other.key)}`, 'is not that of the certificate'],
    ]
    for (const [names, words] of wrong) {
      const problem = [4, 'server.tls_cert', expect.stringContaining(words)]
      expect(await found(tls(names), 'master')).toEqual([['fault', ...problem]])
      // Nobody has said that this is the master's host.
      expect(await found(tls(names))).toEqual([['doubt', ...problem]])
      expect(await found(tls(names), 'worker')).toEqual([])
    }
    const old = authority('root').sign(['a'], { days: -1 })
    const [oldCert, open] = [write('old.pem', old.cert), write('open.pem', old.key, 0o644)]
    expect(await found(tls(`cert: ${oldCert}, key: ${open}`), 'master')).toEqual([
      ['doubt', 4, 'server.tls_cert', expect.stringContaining('has expired')],
      ['doubt', 4, 'server.tls_key', expect.stringMatching(/every user of this host can read it .*chmod o-r/)],
    ])
  })

  test('the queue is kept in a file of its own, with a secret that can be read', async () => {
    const { base, text, write } = orderly()
    const at = (path: string, more = '') => found(text(more).replace(`${base}/q/jobs.db`, path), 'master')
    await openSqliteStore({ path: `${base}/jobs.db`, max_retries: 0, keep_history_ms: 0, clock: systemClock }).close()
    expect(await at(`${base}/jobs.db`)).toEqual([])
    expect(await at(write('empty.db', ''))).toEqual([])
    expect(await at(write('notes.txt', 'no database'))).toEqual(noQueue('is not a SQLite database'))
    expect(await at(`${base}/in`)).toEqual(noQueue('is a folder'))
    expect(await at(`${base}/notes.txt/jobs.db`)).toEqual(noQueue('is no folder'))
    write('jobs.db-secret', 'not ours')
    expect(await at(`${base}/jobs.db`)).toEqual(noQueue('jobs.db-secret is there and cannot be read'))
    // Who asks nobody for a token needs none.
    expect(await at(`${base}/jobs.db`, 'server: {insecure: true}')).toEqual([])
  })

  test('its address is this machine’s; a port that is taken may be its own', async () => {
    const { text } = orderly()
    expect(await found(text('server: {host: 192.0.2.1}'), 'master')).toEqual([
      ['fault', 3, 'server.host', 'cannot listen on 192.0.2.1: this machine has no such address: set server.host'],
    ])
    const taken = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: () => new Response() })
    expect(await found(text(`server: {host: 127.0.0.1, port: ${taken.port}}`), 'master')).toEqual([])
    await taken.stop()
  })

  test('it starts without its folders, and has nothing to do', async () => {
    const text = 'database: {path: /tmp/jobs.db}\nscanner:\n  root_path: /nowhere/in\n  output_base: /dev/null/out\n'
    expect(await found(text, 'master')).toEqual([
      ['doubt', 3, 'scanner.root_path', expect.stringContaining('there is no folder /nowhere/in')],
      ['doubt', 4, 'scanner.output_base', expect.stringContaining('/dev/null is no folder')],
    ])
    const replacing = await found(`${text}replace: {enabled: true}\n`, 'master')
    expect(replacing.map(([, , key]) => key)).toEqual(['scanner.root_path'])
  })
})

describe('for a worker', () => {
  test('what it shows and whom it believes is there', async () => {
    const { base, write } = orderly()
    const cache = `storage: {cache_path: ${base}/cache}\n`
    const of = (text: string, role?: Role) => found(`${cache}worker:\n  ${text}\n`, role)
    const [token, root] = [write('token', ' dsw_x\n'), write('root.pem', authority('root').cert)]
    expect(await of(`token_file: ${token}\n  ca: ${root}`, 'worker')).toEqual([])
    const wrong: [string, string, string][] = [
      ['token_file', '/nowhere/token', 'there is no such file'],
      ['token_file', write('empty', '\n'), 'it holds no token alone'],
      ['token_file', write('line', '--token dsw_secret'), 'it holds no token alone'],
      ['ca', '/nowhere/root.pem', 'there is no such file'],
      ['ca', token, 'it holds no certificate in PEM'],
    ]
    for (const [name, path, words] of wrong) {
      const problem = [3, `worker.${name}`, expect.stringMatching(new RegExp(`${path}: ${words}`))]
      expect(await of(`${name}: ${path}`, 'worker')).toEqual([['fault', ...problem]])
      expect(await of(`${name}: ${path}`)).toEqual([['doubt', ...problem]])
      expect(await of(`${name}: ${path}`, 'master').then((rows) => rows.map(([, , key]) => key))).not.toContain(
        `worker.${name}`,
      )
    }
    expect(JSON.stringify(await of(`token_file: ${base}/line`))).not.toContain('dsw_secret')
    expect(statSync(base).isDirectory() && readdirSync(base)).not.toContain('cache')
  })

  test('its cache is its own, its ffmpeg runs, its mount is mounted', async () => {
    const { base } = orderly()
    const shared = join(base, 'shared')
    mkdirSync(shared)
    chmodSync(shared, 0o777)
    const text = `ffmpeg: {path: /nowhere/ffmpeg}\nstorage:\n  cache_path: ${shared}\n  mount_path: ${base}/in\n`
    expect(await found(text, 'worker')).toEqual([
      ['fault', 3, 'storage.cache_path', expect.stringContaining('can be changed by other users')],
      ['fault', 1, 'ffmpeg.path', expect.stringContaining('ffmpeg was not found at /nowhere/ffmpeg')],
      ['doubt', 4, 'storage.mount_path', expect.stringContaining('is empty: is its storage mounted?')],
    ])
  })
})

test('a token is not for every reader of the configuration', async () => {
  const { write } = orderly()
  const text = 'worker: {token: dsw_secret}\n'
  const [open, shut] = [write('open.yaml', text, 0o644), write('shut.yaml', text, 0o640)]
  expect(await found(text, undefined, open)).toEqual([
    ['doubt', 1, 'worker.token', `every user of this host can read it in ${open}: chmod o-r ${open}`],
  ])
  expect(await found(text, undefined, shut)).toEqual([])
})

test('what nobody set is looked at only for a role', async () => {
  expect(await found('')).toEqual([])
  expect(await found('', 'master').then((rows) => rows.map(([, , key]) => key))).toContain('scanner.root_path')
})
