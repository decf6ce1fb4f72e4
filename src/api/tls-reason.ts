/** Codes of a certificate that no known root speaks for, as OpenSSL names them. */
const unknownRoot = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** The code of an error of ours: another certificate than the pinned one, or none. Its message says it all. */
export const notPinned = 'ERR_NOT_PINNED'

/** Why a peer was not believed, with what to do; undefined for an error of something else. */
export function tlsReasonOf(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  if (typeof code !== 'string') return undefined
  if (code === notPinned) return message
  if (unknownRoot.has(code)) {
    return 'nobody that this host trusts has signed its certificate: name its root (--ca FILE), or the certificate itself by the pin that the master prints (--pin sha256:...)'
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return 'its certificate is for other names: ask for it by one of those, or name the certificate itself (--pin sha256:...)'
  }
  if (code === 'CERT_HAS_EXPIRED') return 'its certificate has expired: renew it on its host (and the clock here?)'
  if (code === 'CERT_NOT_YET_VALID') return 'its certificate is of the future: are the clocks right?'
  if (code === 'EPROTO' || code.startsWith('ERR_SSL_'))
    return 'it does not speak TLS as this side does: is it a master without (http://)?'
  return /CERT|SIGNATURE|CRL/.test(code) ? `its certificate is refused (${code})` : undefined
}
