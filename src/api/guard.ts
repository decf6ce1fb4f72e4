import { DarkstreamError } from '../contract/error.ts'
import { mayAct, type TokenRole } from '../contract/token.ts'

/** Who holds a token. */
export interface Holder {
  /** Of the token; no secret. */
  id: string
  role: TokenRole
}

/** Says whose a token is; undefined for one that does not hold. */
export type Guard = (token: string) => Promise<Holder | undefined>

/**
 * Who asks, by the `Authorization` header of a request (RFC 6750).
 *
 * @throws DarkstreamError `unauthorized` without a token that holds, `forbidden` when it is not for this
 */
export async function authorize(guard: Guard, header: string | undefined, needed: TokenRole): Promise<Holder> {
  if (header === undefined) {
    throw new DarkstreamError('unauthorized', `this master wants a token (Authorization: Bearer ...): ${remedy}`)
  }
  const [, token] = /^Bearer +([\w~+/.=-]{1,512}) *$/i.exec(header) ?? []
  const holder = token === undefined ? undefined : await guard(token)
  if (holder === undefined) throw new DarkstreamError('unauthorized', `the token does not hold here: ${remedy}`)
  if (mayAct(holder.role, needed)) return holder
  throw new DarkstreamError(
    'forbidden',
    `a token of role ${holder.role} may not do this, it takes one of role ${needed}`,
  )
}

const remedy = "on the master's machine, darkstream token create makes one"
