import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type Fetch, withToken } from '../api/client.ts'
import { trustedFetch } from '../api/trusted-fetch.ts'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'
import { whyRefused } from '../util/file-error.ts'
import { ownToken } from './own-token.ts'

/** How this host asks its master: with its token, and only one whose certificate it believes. */
export function masterRequest(worker: Config['worker'], token = ownToken(worker)): Fetch {
  return withToken(token, trustedFetch({ ca: worker.ca === null ? null : readRoots(worker.ca), pin: worker.pin }))
}

/**
 * What `worker.ca` holds.
 *
 * @throws DarkstreamError `unavailable` when the file cannot be read or holds no certificate
 */
export function readRoots(path: string): string {
  const refuse = (why: string, cause?: unknown): never => {
    throw new DarkstreamError('unavailable', `cannot read worker.ca ${path}: ${why}`, { cause })
  }
  let text = ''
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    refuse(whyRefused(error), error)
  }
  try {
    void new X509Certificate(text)
  } catch (error) {
    refuse('it holds no certificate in PEM', error)
  }
  return text
}
