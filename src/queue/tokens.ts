import type { TokenRole } from '../contract/token.ts'

/** A token as it is kept: what it is itself can be told by nobody. */
export interface StoredToken {
  /** Short, to name it by; no secret. */
  id: string
  role: TokenRole
  /** For people: whose it is. */
  name: string
  /** SHA-256 of the token, hexadecimal. A token is 256 random bits, so that guessing from it is as hopeless as any. */
  hash: string
  /** RFC 3339 UTC. */
  created_at: string
  /** Null while it holds. */
  revoked_at: string | null
}

/** Where tokens are kept, by their hashes. */
export interface Tokens {
  /** False when its hash is there already. */
  addToken(token: Pick<StoredToken, 'id' | 'role' | 'name' | 'hash'>): Promise<boolean>
  /** All that ever were, in the order in which they were made. */
  tokens(): Promise<StoredToken[]>
  /** The one with that hash, revoked or not. */
  token(hash: string): Promise<StoredToken | undefined>
  /** The token as it is then; undefined when none has that id or it is revoked already. */
  revokeToken(id: string): Promise<StoredToken | undefined>
}
