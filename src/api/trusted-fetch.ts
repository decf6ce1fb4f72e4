import { isIP } from 'node:net'
import { connect, getCACertificates, type PeerCertificate } from 'node:tls'
import { pem, pinOf } from './certificate.ts'
import type { Fetch } from './client.ts'
import { notPinned, tlsReasonOf } from './tls-reason.ts'

/** Milliseconds that a server has to show its certificate. */
const handshakeTimeoutMs = 15_000

/** Whom a client believes to be its master. */
export interface Trust {
  /** PEM of roots that hold besides those of this system; null for none. */
  ca: string | null
  /** The one certificate that holds, as `pinOf` writes it, and no other whoever signed it; null for those of the roots. */
  pin: string | null
}

/**
 * `fetch` that sends nothing before the peer has shown that it is the one that is meant. What it may be known by is its
 * name in a certificate of a known root, or the very certificate.
 */
export function trustedFetch({ ca, pin }: Trust): Fetch {
  return pin === null ? fetchByRoots(ca) : fetchByPin(pin)
}

function fetchByRoots(ca: string | null): Fetch {
  let session: Bun.FetchSession | undefined
  return (url, init) => {
    if (!isTls(url)) return fetch(url, init)
    session ??= new Bun.FetchSession({ tls: { ca: roots(ca), rejectUnauthorized: true } })
    return session.fetch(url, init)
  }
}

/** Bun brings roots of its own along; those that a host's owner has added to it are in the system's store. */
function roots(ca: string | null): string[] {
  return [...new Set([...getCACertificates('default'), ...getCACertificates('system'), ...(ca === null ? [] : [ca])])]
}

function fetchByPin(pin: string): Fetch {
  let session: Bun.FetchSession | undefined
  return async (url, init) => {
    if (!isTls(url)) {
      throw distrust('a pin is for a master with TLS, and without it nobody knows who answers: write https://')
    }
    const signal = init.signal ?? undefined
    session ??= sessionWith(await pinnedCertificate(url, pin, signal), pin)
    try {
      // The certificate was asked for on a direct way, too.
      return await session.fetch(url, { ...init, proxy: false })
    } catch (error) {
      // One that shows another certificate by now fails for want of a root, which is not what its owner need know.
      if (tlsReasonOf(error) !== undefined) await pinnedCertificate(url, pin, signal)
      throw error
    }
  }
}

/** Each connection is held against the pin again, before anything is sent; whose names the certificate has is all one. */
function sessionWith(certificate: Uint8Array, pin: string): Bun.FetchSession {
  const trusted = { ca: pem(certificate), rejectUnauthorized: true, allowPartialTrustChain: true }
  return new Bun.FetchSession({
    tls: {
      // A certificate that another signed is a root here like one of its own; Bun's types lack Node's option for it.
      ...trusted,
      checkServerIdentity: (_, { raw }) => (pinOf(raw) === pin ? undefined : differs(raw)),
    },
  })
}

/**
 * Asks the server for its certificate and for nothing else.
 *
 * @throws an error of code `notPinned` when it is another one, else what the connection failed with
 */
function pinnedCertificate(url: string, pin: string, signal = new AbortController().signal): Promise<Uint8Array> {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '')
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error)
    // What it shows is looked at here: no root need know it.
    const options = {
      host,
      port: Number(port || 443),
      rejectUnauthorized: false,
      ...(isIP(host) ? {} : { servername: host }),
    }
    const socket = connect(options, () => {
      const { raw = Buffer.alloc(0) } = socket.getPeerCertificate() as Partial<PeerCertificate>
      if (pinOf(raw) === pin) resolve(raw)
      else reject(differs(raw))
      socket.destroy()
    })
    const stop = () => socket.destroy(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    socket.setTimeout(handshakeTimeoutMs, () => socket.destroy(new Error('no answer in time')))
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', stop)
      reject(Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' }))
    })
  })
}

function differs(found: Uint8Array): Error {
  const remedy = 'if it was renewed on purpose, pin the new one (--pin)'
  return distrust(`it shows another certificate (${pinOf(found)}) than the pinned one; ${remedy}`)
}

function distrust(message: string): Error {
  return Object.assign(new Error(message), { code: notPinned })
}

function isTls(url: string): boolean {
  return /^https:/i.test(url)
}
