import { resolve } from 'node:path'
import type { Guard } from '../api/guard.ts'
import { isLoopback } from '../util/loopback.ts'
import { isOpen } from '../config/open-door.ts'
import type { Config } from '../config/schema.ts'
import { holderOf } from '../master/token-book.ts'
import type { Tokens } from '../queue/tokens.ts'
import type { Log } from '../util/log.ts'
import { type ClusterSecret, clusterSecret, secretPath } from './cluster-secret.ts'
import { whyNotSecret } from './look-at-file.ts'

/** How a master lets people in. */
export interface Door {
  /** Undefined where everybody may come in. */
  guard: Guard | undefined
  /** Whether only this machine can reach it. */
  is_local: boolean
  /** What it made for its workers and its owner; undefined without a guard. */
  secret: (ClusterSecret & { is_new: boolean }) | undefined
}

/**
 * Beyond this machine nobody comes in without a token, unless `server.insecure` says so. The secret is made at the first
 * start.
 */
export async function openDoor({ server, database }: Config, tokens: Tokens, log: Log): Promise<Door> {
  const is_local = isLoopback(server.host)
  if (server.insecure && !is_local) log.warn(await openness(tokens))
  if (isOpen(server)) return { guard: undefined, is_local, secret: undefined }
  const queue = resolve(database.path)
  const secret = await clusterSecret(queue, tokens)
  const seen = whyNotSecret(secretPath(queue))
  if (seen !== undefined) log.warn(`the cluster's secret: ${seen}`)
  return { guard: (token) => holderOf(tokens, token), is_local, secret }
}

async function openness(tokens: Tokens): Promise<string> {
  const made = (await tokens.tokens()).filter(({ revoked_at }) => revoked_at === null).length
  const unasked =
    made === 0 ? '' : `: nobody is asked for the ${made === 1 ? 'token' : `${made} tokens`} that this queue has`
  return `server.insecure: whoever reaches this port may do everything here${unasked}`
}
