import { readFileSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import { Token } from '../config/values.ts'
import { DarkstreamError } from '../contract/error.ts'
import { whyRefused } from '../util/file-error.ts'

/**
 * The token that this host was given: `worker.token`, else what `worker.token_file` holds; undefined when neither is set.
 *
 * @throws DarkstreamError `unavailable` when the file cannot be read, or holds something else
 */
export function ownToken({ token, token_file }: Config['worker']): string | undefined {
  if (token !== null || token_file === null) return token ?? undefined
  const refuse = (why: string, cause?: unknown) =>
    new DarkstreamError('unavailable', `cannot read worker.token_file ${token_file}: ${why}`, { cause })
  let text: string
  try {
    text = readFileSync(token_file, 'utf8')
  } catch (error) {
    throw refuse(whyRefused(error), error)
  }
  const written = Token.parse(text)
  if (written === undefined) throw refuse("it holds no token alone, as the master's join line says one after --token")
  return written
}
