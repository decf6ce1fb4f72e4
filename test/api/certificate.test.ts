import { expect, test } from 'bun:test'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isSelfSigned, pinOf, selfSigned } from '../../src/api/certificate.ts'
import { authority } from '../support/certificates.ts'

const names = ['storage', 'localhost', '10.1.2.3', '::1', 'fe80::1:2%eth0', '2001:db8::', '127.0.0.1']

test('a certificate of our own is what it says: names, addresses, ten years, its own signature and key', () => {
  const now = new Date('2044-02-29T12:34:56.789Z')
  const { cert, key } = selfSigned(names, now)
  const read = new X509Certificate(cert)
  expect(read.subject).toBe('CN=storage')
  expect(isSelfSigned(read)).toBe(true)
  expect(read.ca).toBe(false)
  expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
  expect([read.validFromDate, read.validToDate].map((date) => date.toISOString())).toEqual([
    '2044-02-28T12:34:56.000Z',
    '2054-03-01T12:34:56.000Z',
  ])
  for (const address of ['10.1.2.3', '::1', 'fe80::1:2', '2001:db8::', '127.0.0.1']) {
    expect([address, read.checkIP(address)]).not.toContain(undefined)
  }
  for (const name of ['storage', 'localhost']) expect(read.checkHost(name)).toBe(name)
  expect(read.checkHost('other')).toBeUndefined()
  expect(read.checkIP('10.1.2.4')).toBeUndefined()
})

test('no two are alike, and a pin is the fingerprint that other programs show', () => {
  const [one, other] = [selfSigned(['a'], new Date()), selfSigned(['a'], new Date())]
  expect(pinOf(one.cert)).not.toBe(pinOf(other.cert))
  const { fingerprint256, serialNumber } = new X509Certificate(one.cert)
  expect(pinOf(one.cert)).toBe(`sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`)
  expect(serialNumber).toMatch(/^01[\dA-F]{30}$/)
})

test('what a root has signed is not taken for its own', () => {
  const root = authority('a root')
  expect(isSelfSigned(new X509Certificate(root.sign(['a']).cert))).toBe(false)
  expect(isSelfSigned(new X509Certificate(root.cert))).toBe(true)
  expect(isSelfSigned(new X509Certificate(authority('a master').sign(['a']).cert))).toBe(false)
})

test('a long name, or none, makes a certificate too', () => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}`
  expect(new X509Certificate(selfSigned([long], new Date()).cert).checkHost(long)).toBe(long)
  const many = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 8}.${index & 255}`)
  expect(new X509Certificate(selfSigned(many, new Date()).cert).checkIP('10.0.1.43')).toBe('10.0.1.43')
  expect(new X509Certificate(selfSigned([], new Date()).cert).subject).toBe('CN=darkstream')
})
