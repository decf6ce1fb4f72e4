import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import * as v from 'valibot'
import { DarkstreamError } from '../contract/error.ts'
import { createToken, holderOf, keepToken } from '../master/token-book.ts'
import type { Tokens } from '../queue/tokens.ts'
import { whyRefused } from '../util/file-error.ts'

/** The two tokens that a master makes by itself: one for its workers, one for whoever may read the file. */
const ClusterSecret = v.object({ worker: v.string(), admin: v.string() })
export type ClusterSecret = v.InferOutput<typeof ClusterSecret>

/** Beside the queue, for its owner alone. */
export function secretPath(database_path: string): string {
  return `${database_path}-secret`
}

/** The secret of a queue's master; undefined where there is none, or none that we may read. */
export function readSecret(database_path: string): ClusterSecret | undefined {
  try {
    const secret = v.safeParse(ClusterSecret, JSON.parse(readFileSync(secretPath(database_path), 'utf8')))
    return secret.success ? secret.output : undefined
  } catch {
    return undefined
  }
}

/**
 * The secret, made at the first call. One whose queue was lost, or put back from an older copy, holds again, so that no
 * worker need be told another; one that was revoked does not.
 */
export async function clusterSecret(
  database_path: string,
  tokens: Tokens,
): Promise<ClusterSecret & { is_new: boolean }> {
  const known = readSecret(database_path)
  if (known !== undefined) {
    await keepToken(tokens, 'worker', 'cluster', known.worker)
    await keepToken(tokens, 'admin', 'cluster', known.admin)
    return { ...known, is_new: false }
  }
  const path = secretPath(database_path)
  if (existsSync(path)) {
    throw unwritten(path, 'is there and cannot be read, or is no secret of ours: move it away')
  }
  const [worker, admin] = [
    await createToken(tokens, 'worker', 'cluster'),
    await createToken(tokens, 'admin', 'cluster'),
  ]
  const secret = { worker: worker.token, admin: admin.token }
  const half = `${path}.new`
  try {
    // Half of it, on a full disk or after a crash, would be no secret for ever.
    rmSync(half, { force: true })
    writeFileSync(half, `${JSON.stringify(secret, null, 2)}\n`, { flag: 'wx', mode: 0o600, flush: true })
    renameSync(half, path)
  } catch (error) {
    rmSync(half, { force: true })
    throw unwritten(path, `cannot be kept: ${whyRefused(error)}`)
  }
  return { ...secret, is_new: true }
}

function unwritten(path: string, why: string): DarkstreamError {
  return new DarkstreamError('unavailable', `the cluster's secret ${path} ${why}`)
}

/** Whether the workers' token of the secret still holds. */
export async function holds(secret: ClusterSecret, tokens: Tokens): Promise<boolean> {
  return (await holderOf(tokens, secret.worker)) !== undefined
}
