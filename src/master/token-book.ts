import type { TokenRole } from '../contract/token.ts'
import type { StoredToken, Tokens } from '../queue/tokens.ts'

/** First letters of every token, so that people and secret scanners know one. */
const prefixes: Record<TokenRole, string> = { worker: 'dsw_', admin: 'dsa_', read: 'dsr_' }

/** Makes a token and keeps its hash. The token itself is in nobody's hands but the caller's from then on. */
export async function createToken(
  tokens: Tokens,
  role: TokenRole,
  name: string,
): Promise<{ token: string; id: string }> {
  const bytes = crypto.getRandomValues(new Uint8Array(32))
  const token = `${prefixes[role]}${bytes.toBase64({ alphabet: 'base64url', omitPadding: true })}`
  const id = idOf(token)
  await tokens.addToken({ id, role, name, hash: hashOf(token) })
  return { token, id }
}

/** Keeps a token that was made before, unless it is known. */
export async function keepToken(tokens: Tokens, role: TokenRole, name: string, token: string): Promise<void> {
  await tokens.addToken({ id: idOf(token), role, name, hash: hashOf(token) })
}

/** Who holds a token; undefined for one that nobody made or that was revoked. */
export async function holderOf(tokens: Tokens, token: string): Promise<StoredToken | undefined> {
  const found = await tokens.token(hashOf(token))
  return found?.revoked_at === null ? found : undefined
}

/** Only the hash is compared, so that the time it takes tells nothing of the token. */
function hashOf(token: string): string {
  return new Bun.CryptoHasher('sha256').update(token).digest('hex')
}

/** Of another hash, so that it tells nothing of what is kept. */
function idOf(token: string): string {
  return new Bun.CryptoHasher('sha256').update(`id ${token}`).digest('hex').slice(0, 8)
}
