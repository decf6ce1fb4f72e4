import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { DarkstreamError } from '../contract/error.ts'
import { sleep } from '../util/clock.ts'
import { whyRefused } from '../util/file-error.ts'
import type { Log } from '../util/log.ts'

/** A certificate, with those that lead to its root after it, and its private key; both PEM. */
export interface KeyPair {
  cert: string
  key: string
}

/** Where the two lie; both may be in one file. */
export interface KeyPairFiles {
  cert: string
  key: string
}

const stays = 'the certificate of before stays in use'

/** Milliseconds between two looks at the files. */
const lookMs = 2000

/**
 * What a server with TLS shows itself by, from its files.
 *
 * @throws DarkstreamError `unavailable` for files that cannot be read, are no PEM, or do not belong together
 */
export function readKeyPair(files: KeyPairFiles): KeyPair {
  const pair = { cert: read(files.cert), key: read(files.key) }
  const wrong = faultOf(pair, files)
  if (wrong !== undefined) throw new DarkstreamError('unavailable', wrong)
  return pair
}

/** Looks for another pair in the files until the signal; what does not hold is told of once, and the old one stays. */
export async function watchKeyPair(
  files: KeyPairFiles,
  onPair: (pair: KeyPair) => void,
  { log, signal }: { log: Log; signal: AbortSignal },
): Promise<void> {
  const look = keyPairLook(files, log)
  while (!signal.aborted) {
    await sleep(lookMs, signal)
    const pair = signal.aborted ? undefined : look()
    try {
      if (pair) onPair(pair)
    } catch (error) {
      log.warn(`${files.cert} cannot be served (${(error as Error).message}): ${stays}`)
    }
  }
}

/** Gives the pair whenever it is another one than at the last look. By content: dates of files tell less. */
export function keyPairLook(files: KeyPairFiles, log: Log): () => KeyPair | undefined {
  let seen = tryRead(files)
  return () => {
    const now = tryRead(files)
    if (now.text === seen.text) return undefined
    seen = now
    if (now.pair) return now.pair
    log.warn(`${now.text}: ${stays}`)
    return undefined
  }
}

function tryRead(files: KeyPairFiles): { text: string; pair?: KeyPair } {
  try {
    const pair = readKeyPair(files)
    return { text: `${pair.cert}\n${pair.key}`, pair }
  } catch (error) {
    return { text: (error as Error).message }
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new DarkstreamError('unavailable', `cannot read ${path}: ${whyRefused(error)}`, { cause: error })
  }
}

/** What is wrong with the two, without a word of what is in them. */
function faultOf({ cert, key }: KeyPair, files: KeyPairFiles): string | undefined {
  try {
    const certificate = new X509Certificate(cert)
    try {
      if (certificate.checkPrivateKey(createPrivateKey(key))) return undefined
      return `the key ${files.key} is not that of the certificate ${files.cert}`
    } catch {
      return `${files.key} holds no private key in PEM that can be read without a password`
    }
  } catch {
    return `${files.cert} holds no certificate in PEM`
  }
}
