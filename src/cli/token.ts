import { resolve } from 'node:path'
import * as v from 'valibot'
import { DarkstreamError } from '../contract/error.ts'
import { TokenRole } from '../contract/token.ts'
import { createToken } from '../master/token-book.ts'
import { openTokens } from '../queue/sqlite/tokens.ts'
import type { StoredToken, Tokens } from '../queue/tokens.ts'
import { systemClock } from '../util/clock.ts'
import { printable } from '../util/format.ts'
import { answer } from './ask.ts'
import { settingsOf } from './settings.ts'
import { table } from './table.ts'
import { type CommandArgs, UsageError } from './usage.ts'

/** Makes, lists and revokes tokens, in the queue's own file: who may write to that needs no other leave. */
export async function run(args: CommandArgs): Promise<number> {
  const [action, ...names] = args.positionals
  const act = action === 'create' ? create : action === 'list' ? list : action === 'revoke' ? revoke : undefined
  if (act === undefined) throw new UsageError(`token takes create, list or revoke, not ${JSON.stringify(action)}`)
  const tokens = openTokens(resolve(settingsOf(args).config.database.path), systemClock)
  try {
    return await act(tokens, names, args)
  } finally {
    tokens.close()
  }
}

async function create(tokens: Tokens, [role, ...more]: string[], args: CommandArgs): Promise<number> {
  const asked = v.safeParse(TokenRole, role)
  if (!asked.success || more.length > 0)
    throw new UsageError(`token create takes a role: ${asked.issues?.[0].message ?? 'one'}`)
  const name = args.text('name') ?? ''
  const made = await createToken(tokens, asked.output, name)
  answer(args, { ...made, role: asked.output, name }, () => `${made.token}\n`)
  if (!args.flag('json')) process.stderr.write(`token ${made.id}, ${asked.output}: it is shown this once\n`)
  return 0
}

async function list(tokens: Tokens, _: string[], args: CommandArgs): Promise<number> {
  const known = (await tokens.tokens()).map(({ hash: _hash, ...token }) => token)
  answer(args, { tokens: known }, () => listText(known))
  return 0
}

function listText(tokens: readonly Omit<StoredToken, 'hash'>[]): string {
  if (tokens.length === 0) return 'no tokens\n'
  const rows = tokens.map(({ id, role, name, created_at, revoked_at }) => [
    id,
    role,
    created_at,
    revoked_at ?? '',
    name,
  ])
  return table(['id', 'role', 'made', 'revoked', 'name'], rows)
}

async function revoke(tokens: Tokens, ids: string[]): Promise<number> {
  if (ids.length === 0) throw new UsageError('which token? darkstream token list has the ids')
  for (const id of ids) {
    const revoked = await tokens.revokeToken(id)
    if (revoked === undefined) throw new DarkstreamError('not_found', `no token ${printable(id)} holds`)
    process.stdout.write(`token ${revoked.id} (${revoked.role}) does not hold any more\n`)
  }
  return 0
}
