import { describe, expect, test } from 'bun:test'
import { type ConfigSources, loadConfig } from '../../src/config/load.ts'
import { ConfigError } from '../../src/config/problems.ts'
import type { Config } from '../../src/config/schema.ts'

const pin = `sha256:${'0'.repeat(64)}`

/** What is wrong with a file, and what is doubtful, each with its line, its key and words from its sentence. */
function verdict(text: string, more: Partial<ConfigSources> = {}) {
  try {
    const { doubts } = loadConfig({ file: 'c.yaml', text, environment: {}, flags: {}, ...more })
    return doubts.map(({ source, line, key, message }) => ['doubt', source, line, key, message])
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map(({ source, line, key, message }) => ['fault', source, line, key, message])
  }
}

describe('a host that knows its master by a certificate', () => {
  test.each([
    ['pin', pin],
    ['ca', '/etc/root.pem'],
  ])('by worker.%s has no use for an address without TLS', (name, value) => {
    const key = `worker.${name}`
    const remedy = expect.stringContaining(`expected worker.master_url to be https:// with ${key} (--${name})`)
    const text = (scheme: string) => `worker:\n  master_url: ${scheme}://media:8080\n  ${name}: ${value}\n`
    expect(verdict(text('http'))).toEqual([['fault', 'c.yaml', 3, key, remedy]])
    expect(verdict(text('HTTP'))).toEqual([['fault', 'c.yaml', 3, key, remedy]])
    expect(verdict(text('https'))).toEqual([])
    // Where nobody has said where the master is, it is looked for, with TLS.
    expect(verdict(`worker:\n  ${name}: ${value}\n  discovery: false\n`)).toEqual([])
    const flags = { [key]: value, 'worker.master_url': { name: '--master', value: 'http://media' } }
    expect(verdict('', { flags })).toEqual([['fault', `--${name}`, null, key, remedy]])
    const environment = { DARKSTREAM_WORKER_MASTER_URL: 'http://media' }
    expect(verdict(`worker: {${name}: "${value}"}`, { environment })).toEqual([['fault', 'c.yaml', 1, key, remedy]])
  })
})

describe('the token', () => {
  test('is given in one way', () => {
    expect(verdict('worker:\n  token_file: /t\n  token: dsw_x\n')).toEqual([
      ['fault', 'c.yaml', 3, 'worker.token', expect.stringMatching(/found both: leave one out/)],
    ])
  })

  test.each<[string, Record<string, string>, { token?: string }, Pick<Config['worker'], 'token' | 'token_file'>]>([
    ['token: dsw_file', { DARKSTREAM_WORKER_TOKEN_FILE: '/t' }, {}, { token: null, token_file: '/t' }],
    ['token_file: /f', { DARKSTREAM_WORKER_TOKEN: 'dsw_e' }, {}, { token: 'dsw_e', token_file: null }],
    ['token_file: /f', { DARKSTREAM_WORKER_TOKEN: 'dsw_e' }, { token: 'dsw_f' }, { token: 'dsw_f', token_file: null }],
    ['token_file: /f', {}, { token: 'dsw_f' }, { token: 'dsw_f', token_file: null }],
  ])('of a file (%s) gives way to %j and %j, whichever way they have', (text, environment, { token }, worker) => {
    const flags = { 'worker.token': token }
    const { config, origins } = loadConfig({ file: 'c.yaml', text: `worker: {${text}}`, environment, flags })
    expect(config.worker).toMatchObject(worker)
    expect(origins[worker.token === null ? 'worker.token' : 'worker.token_file']).toBe('default')
  })

  test('two in the environment are one too many, and none is said', () => {
    const environment = { DARKSTREAM_WORKER_TOKEN: 'dsw_secret', DARKSTREAM_WORKER_TOKEN_FILE: '/t' }
    const found = verdict('', { environment })
    expect(found).toEqual([['fault', 'DARKSTREAM_WORKER_TOKEN', null, 'worker.token', expect.any(String)]])
    expect(JSON.stringify(found)).not.toContain('dsw_secret')
  })

  test.each(['token: dsw_x', 'token_file: /t'])('of the same file is asked by no open master: %s', (text) => {
    const key = `worker.${text.split(':')[0]}`
    const open = (more = '') => verdict(`server:\n  insecure: true\n${more}worker:\n  ${text}\n`)
    const remedy = expect.stringContaining(
      `to be false with ${key}: an open master asks nobody for a token, so leave one`,
    )
    expect(open()).toEqual([['fault', 'c.yaml', 2, 'server.insecure', remedy]])
    // Who opens it for once by a flag is told, and may.
    const doubt = ['doubt', '--insecure', null, 'server.insecure', expect.stringContaining(`${key} is set`)]
    expect(verdict(`worker:\n  ${text}\n`, { flags: { 'server.insecure': true } })).toEqual([doubt])
    // On this machine alone that is what holds anyway.
    expect(open('  host: 127.0.0.1\n')).toEqual([])
    expect(verdict(`server:\n  insecure: false\nworker:\n  ${text}\n`)).toEqual([])
  })
})

test('TLS takes a certificate and its key, and one of them at once', () => {
  for (const [name, missing] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ]) {
    expect(verdict(`server:\n  tls:\n    ${name}: /x.pem\n`)).toEqual([
      [
        'fault',
        'c.yaml',
        3,
        `server.tls_${name}`,
        expect.stringContaining(`found no ${missing} (server.tls_${missing})`),
      ],
    ])
  }
  expect(verdict('server:\n  tls: {cert: /c.pem, key: /k.pem}\n  self_signed: true\n')).toEqual([
    ['fault', 'c.yaml', 3, 'server.self_signed', expect.stringContaining('to be false with server.tls')],
  ])
})

describe('what may be meant is doubted, and loads', () => {
  const tls = 'server: {tls_cert: /c.pem, tls_key: /k.pem}\n'
  test.each([
    [`${tls}worker: {master_url: "http://media:8080"}`, 'server.tls_cert', 'speaks HTTPS only'],
    [
      'server: {base_path: /dark}\nworker: {master_url: "http://media:8080"}',
      'server.base_path',
      'write http://media:8080/dark',
    ],
    ['server: {host: 127.0.0.1, trusted_proxies: [127.0.0.1]}', 'server.trusted_proxies', 'set server.insecure: false'],
    ['server: {trusted_proxies: [10.0.0.1, "::/0"]}', 'server.trusted_proxies', '::/0 is everybody'],
    ['server: {allowed_hosts: [media]}', 'server.allowed_hosts', 'this master asks for tokens'],
  ])('%s', (text, key, words) => {
    expect(verdict(text)).toEqual([['doubt', 'c.yaml', 1, key, expect.stringContaining(words)]])
  })

  test.each([
    `${tls}worker: {master_url: "https://media:8080"}`,
    tls,
    'server: {base_path: /dark}\nworker: {master_url: "https://media/"}',
    'server: {base_path: /dark}\nworker: {master_url: "http://media:8080/dark/"}',
    'server: {base_path: /dark}',
    'server: {host: 127.0.0.1, insecure: false, trusted_proxies: [127.0.0.1]}',
    'server: {host: 127.0.0.1, trusted_proxies: [127.0.0.1], allowed_hosts: [media]}',
    'server: {insecure: true, allowed_hosts: [media]}',
    'server: {host: localhost, allowed_hosts: [media]}',
  ])('but not %s', (text) => expect(verdict(text)).toEqual([]))
})

test.each([
  ['base_path: dark', 'write /dark'],
  ['base_path: /a//b', 'expected a path such as /darkstream'],
  ['base_path: /a/../b', 'expected a path such as /darkstream'],
  ['base_path: http://x/dark', 'expected a path such as /darkstream'],
  ['trusted_proxies: [proxy.lan]', 'names are not looked up'],
  ['trusted_proxies: [10.0.0.0/33]', 'expected an IP address or a network'],
  ['trusted_proxies: 10.0.0.1:80', 'expected a list of addresses and networks'],
  ['allowed_hosts: ["*"]', 'a page could bring any name'],
  ['allowed_hosts: [media:8080]', 'leave out the port'],
  ['host: 0.0.0.0:8080', 'leave out the port'],
])('server.%s is told with its line', (text, words) => {
  const key = `server.${text.split(':')[0]}`
  expect(verdict(`server:\n  ${text}\n`)).toEqual([['fault', 'c.yaml', 2, key, expect.stringContaining(words)]])
})
