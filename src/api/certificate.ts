import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import { bits, der, integer, objectId, sequence, time, utf8 } from './der.ts'
import { addressBytes } from './ip-address.ts'
import type { KeyPair } from './key-pair.ts'

/** Years that a certificate of our own holds: it is known by its pin, and who wants another renews it. */
const years = 10

/** Makes a key (ECDSA P-256) and a certificate signed by that very key, for host names and addresses; the first is its name. */
export function selfSigned(names: readonly string[], now: Date): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const end = new Date(now)
  end.setUTCFullYear(end.getUTCFullYear() + years)
  // A host whose clock is a little behind must not take it for one of the future.
  const begin = new Date(now.getTime() - 24 * 3_600_000)
  const subject = names[0] ?? 'darkstream'
  const cert = issue({ subject, names, publicKey, begin, end, issuer: { name: subject, privateKey } })
  return { cert, key: privateKey.export({ type: 'pkcs8', format: 'pem' }) }
}

/** What a certificate says, and who says it. */
export interface CertificateRequest {
  subject: string
  /** Host names and addresses that it is for; an authority has none. */
  names: readonly string[]
  publicKey: KeyObject
  begin: Date
  end: Date
  issuer: { name: string; privateKey: KeyObject }
  is_authority?: boolean
}

/** `ecdsa-with-SHA256`, RFC 5758. */
const signatureAlgorithm = sequence(objectId('1.2.840.10045.4.3.2'))

/** An X.509 certificate as PEM (RFC 5280). */
export function issue(request: CertificateRequest): string {
  const { subject, publicKey, begin, end, issuer } = request
  // TBSCertificate, 4.1.
  const content = sequence(
    der(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(15)])),
    signatureAlgorithm,
    nameOf(issuer.name),
    sequence(time(begin), time(end)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(...extensions(request))),
  )
  return pem(sequence(content, signatureAlgorithm, bits(sign('sha256', content, issuer.privateKey))))
}

/** What a worker is told to know a certificate by: `sha256:` and the SHA-256 of its DER in hexadecimal digits. */
export function pinOf(certificate: string | Uint8Array): string {
  const raw = typeof certificate === 'string' ? new X509Certificate(certificate).raw : certificate
  return `sha256:${createHash('sha256').update(raw).digest('hex')}`
}

/** Whether somebody made it for himself, so that no root speaks for it. */
export function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject && certificate.verify(certificate.publicKey)
}

/** PEM of a certificate's DER. */
export function pem(certificate: Uint8Array): string {
  const lines =
    Buffer.from(certificate)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}

/** A Name of only a common name, 64 characters at most (A.1). */
function nameOf(commonName: string): Buffer {
  return sequence(der(0x31, sequence(objectId('2.5.4.3'), utf8(commonName.slice(0, 64)))))
}

function extensions({ names, is_authority = false }: CertificateRequest): Buffer[] {
  const critical = der(0x01, Buffer.from([0xff]))
  // basicConstraints, and keyUsage: keyCertSign is bit 5, digitalSignature bit 0.
  const constraints = is_authority ? sequence(critical) : sequence()
  const usage = is_authority ? bits(Buffer.from([0x04]), 2) : bits(Buffer.from([0x80]), 7)
  const kind = [extension('2.5.29.19', critical, constraints), extension('2.5.29.15', critical, usage)]
  if (is_authority) return kind
  const serverAuth = sequence(objectId('1.3.6.1.5.5.7.3.1'))
  // subjectAltName, extKeyUsage.
  return [...kind, extension('2.5.29.17', sequence(...names.map(generalName))), extension('2.5.29.37', serverAuth)]
}

/** The last part is its value, DER within an OCTET STRING. */
function extension(id: string, ...parts: readonly Buffer[]): Buffer {
  return sequence(objectId(id), ...parts.slice(0, -1), der(0x04, ...parts.slice(-1)))
}

/** Of a subjectAltName: iPAddress is [7], dNSName [2]. */
function generalName(name: string): Buffer {
  const address = addressBytes(name)
  return address === undefined ? der(0x82, Buffer.from(name)) : der(0x87, address)
}
