import { readFileSync } from 'node:fs'
import type { Config } from '../config/schema.ts'
import { DarkstreamError } from '../contract/error.ts'

/**
 * The token that this host was given: `worker.token`, else what `worker.token_file` holds; undefined when neither is set.
 *
 * @throws DarkstreamError `unavailable` when the file cannot be read
 */
export function ownToken({ token, token_file }: Config['worker']): string | undefined {
  if (token !== null) return token
  if (token_file === null) return undefined
  try {
    return readFileSync(token_file, 'utf8').trim()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new DarkstreamError('unavailable', `cannot read worker.token_file ${token_file}: ${code ?? message}`, {
      cause: error,
    })
  }
}
