import { generateKeyPairSync } from 'node:crypto'
import { issue } from '../../src/api/certificate.ts'
import type { KeyPair } from '../../src/api/key-pair.ts'

const day = 24 * 3_600_000

/** A root that signs certificates of a test. */
export interface Authority {
  cert: string
  sign: (names: readonly string[], options?: { days?: number }) => KeyPair
}

/** Makes a root; `days` of what it signs may be negative for one that has ended. */
export function authority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const begin = new Date(Date.now() - 20 * day)
  const issuer = { name, privateKey }
  const until = (days: number) => new Date(Date.now() + days * day)
  return {
    cert: issue({ subject: name, names: [], publicKey, begin, end: until(20), issuer, is_authority: true }),
    sign(names, { days = 10 } = {}) {
      const own = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const cert = issue({ subject: 'a master', names, publicKey: own.publicKey, begin, end: until(days), issuer })
      return { cert, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }) }
    },
  }
}
