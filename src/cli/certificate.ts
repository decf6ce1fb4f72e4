import { X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, networkInterfaces } from 'node:os'
import { resolve } from 'node:path'
import { rootCertificates } from 'node:tls'
import { isSelfSigned, pinOf, selfSigned } from '../api/certificate.ts'
import { type KeyPair, type KeyPairFiles, readKeyPair } from '../api/key-pair.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { whyRefused } from '../util/file-error.ts'
import { formatDuration } from '../util/format.ts'
import type { Log } from '../util/log.ts'

/** Days before the end of a certificate from which on the master says so at its start. */
const warnDays = 14

/** A master's certificate with where it lies. */
export interface OwnCertificate {
  files: KeyPairFiles
  pair: KeyPair
}

/**
 * The certificate that a master serves with, made at the first start where it is to make its own; undefined without TLS.
 *
 * @throws DarkstreamError `unavailable` when the files are not there or do not belong together
 */
export function openCertificate({ server, database }: Config, log: Log): OwnCertificate | undefined {
  const files = certificateFiles({ server, database })
  if (files === undefined) return undefined
  if (server.self_signed && !existsSync(files.cert)) {
    writeOwn(files.cert, selfSigned(ownNames(), new Date()))
    log.info(`made a certificate of its own: ${files.cert}`)
  }
  const own = { files, pair: readKeyPair(files) }
  const ending = endOf(own)
  if (ending !== undefined) log.warn(ending)
  return own
}

/** What to say of a certificate that has ended, or ends soon; undefined for any other. */
export function endOf({ files, pair }: OwnCertificate): string | undefined {
  const days = (new X509Certificate(pair.cert).validToDate.getTime() - Date.now()) / 86_400_000
  if (days < 0) return `the certificate ${files.cert} has expired: no worker will believe it`
  return days < warnDays ? `the certificate ${files.cert} ends in ${formatDuration(days * 86_400)}` : undefined
}

/** The pin of the certificate of the master whose queue lies on this host; undefined where it has none that we may read. */
export function localPin({ server, database }: Config): string | undefined {
  // A master may have been told to make one by its command line alone.
  const own = ownPath(database)
  const files = certificateFiles({ server, database }) ?? (existsSync(own) ? { cert: own, key: own } : undefined)
  try {
    // Who may not read the key may know the certificate.
    return files && pinOf(readFileSync(files.cert, 'utf8'))
  } catch {
    return undefined
  }
}

/** The pin to hand out with a certificate's address: of one that no root speaks for. */
export function pinToTell({ cert }: KeyPair): string | undefined {
  return isSelfSigned(new X509Certificate(cert)) ? pinOf(cert) : undefined
}

/** Whether a root that this program comes with has signed it, or the last of those that lead to its root. */
export function isPublic({ cert }: KeyPair): boolean {
  const last = cert.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)?.at(-1)
  if (last === undefined) return false
  const top = new X509Certificate(last)
  return rootCertificates.some((root) => {
    const authority = new X509Certificate(root)
    return authority.fingerprint256 === top.fingerprint256 || top.checkIssued(authority)
  })
}

/** A name that the certificate is for: this one where it is, else the first that is no pattern; undefined for none. */
export function nameFor({ cert }: KeyPair, host: string): string | undefined {
  const certificate = new X509Certificate(cert)
  if (certificate.checkHost(host) !== undefined || certificate.checkIP(host) !== undefined) return host
  return /DNS:(?!\*)([\w.-]+)/.exec(certificate.subjectAltName ?? '')?.[1]
}

/** Where a master's certificate and key lie, or will once they are made; undefined without TLS. */
export function certificateFiles({
  server: { tls_cert, tls_key, self_signed },
  database,
}: Pick<Config, 'server' | 'database'>): KeyPairFiles | undefined {
  if (tls_cert !== null && tls_key !== null) return { cert: resolve(tls_cert), key: resolve(tls_key) }
  return self_signed ? { cert: ownPath(database), key: ownPath(database) } : undefined
}

/** Certificate and key in one file, so that never one of them is there without the other. */
function ownPath({ path }: Config['database']): string {
  return `${resolve(path)}-tls.pem`
}

function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return [...new Set([hostname(), 'localhost', ...addresses.map(({ address }) => address)])]
}

function writeOwn(path: string, { cert, key }: KeyPair): void {
  try {
    // Half of it, after a crash, would be no certificate for ever.
    rmSync(`${path}.new`, { force: true })
    writeFileSync(`${path}.new`, `${cert}${key}`, { flag: 'wx', mode: 0o600, flush: true })
    renameSync(`${path}.new`, path)
  } catch (error) {
    throw new DarkstreamError('unavailable', `cannot keep the certificate in ${path}: ${whyRefused(error)}`, {
      cause: error,
    })
  }
}
