import { expect, test } from 'bun:test'
import { networkInterfaces } from 'node:os'
import { rootCertificates } from 'node:tls'
import { pinOf, selfSigned } from '../../src/api/certificate.ts'
import type { KeyPair } from '../../src/api/key-pair.ts'
import { isPublic } from '../../src/cli/certificate.ts'
import { joinAddress, joinLine } from '../../src/cli/join-line.ts'
import { loadConfig } from '../../src/config/load.ts'
import { authority } from '../support/certificates.ts'

const at = (flags: Record<string, string>) => loadConfig({ environment: {}, flags }).config.server
const certificate = (pair: KeyPair) => ({ files: { cert: 'c', key: 'k' }, pair })

test('without TLS it is address and token', () => {
  expect(joinLine(joinAddress(at({ 'server.host': '10.0.0.5' }), 8080), 'dsw_x')).toBe(
    'darkstream worker --master http://10.0.0.5:8080 --token dsw_x',
  )
  expect(joinLine({ url: 'http://a', pin: undefined })).toBe('darkstream worker --master http://a')
  expect(joinAddress(at({ 'server.host': 'fd00::5', 'server.base_path': '/dark/' }), 80).url).toBe(
    'http://[fd00::5]:80/dark',
  )
})

test('a master that listens everywhere is named by an address of this host that others can reach', () => {
  const own = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).filter(({ internal }) => !internal))
  const { hostname } = new URL(joinAddress(at({}), 1).url)
  if (own.some(({ family }) => family === 'IPv4')) expect(own.map(({ address }) => address)).toContain(hostname)
  else expect(hostname).not.toBe('0.0.0.0')
})

test('a certificate that nobody speaks for goes with its pin', () => {
  const pair = selfSigned(['other'], new Date())
  const address = joinAddress(at({ 'server.host': '10.0.0.5' }), 8080, certificate(pair))
  expect(address).toEqual({ url: 'https://10.0.0.5:8080', pin: pinOf(pair.cert) })
  expect(joinLine(address, 'dsw_x')).toBe(
    `darkstream worker --master https://10.0.0.5:8080 --token dsw_x --pin ${pinOf(pair.cert)}`,
  )
})

test('one that a root has signed goes by a name that it is for', () => {
  const root = authority('a root')
  const url = (names: string[]) => joinAddress(at({ 'server.host': '10.0.0.5' }), 8080, certificate(root.sign(names)))
  expect(url(['media.example', '10.0.0.5'])).toEqual({
    url: 'https://10.0.0.5:8080',
    pin: undefined,
    is_private: true,
  })
  expect(url(['*.example', 'media.example']).url).toBe('https://media.example:8080')
  expect(url(['10.9.9.9']).url).toBe('https://10.0.0.5:8080')
})

test('a certificate with a root that everybody knows at its end needs no other word', () => {
  const { cert, key } = authority('a root').sign(['media.example'])
  const [known = ''] = rootCertificates
  expect(isPublic({ cert: `${cert}\n${known}\n`, key })).toBe(true)
  expect(isPublic({ cert, key })).toBe(false)
})
