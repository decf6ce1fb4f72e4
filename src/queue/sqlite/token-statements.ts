const columns = 'id, role, name, hash, created_at, revoked_at'

/** The statements about tokens. */
export const tokenStatements = {
  /** A hash that is there, also a revoked one, is not taken again. */
  addToken: `INSERT INTO tokens (id, role, name, hash, created_at) VALUES ($id, $role, $name, $hash, $now)
    ON CONFLICT (hash) DO NOTHING`,

  tokens: `SELECT ${columns} FROM tokens ORDER BY number`,

  token: `SELECT ${columns} FROM tokens WHERE hash = $hash`,

  revokeToken: `UPDATE tokens SET revoked_at = $now WHERE id = $id AND revoked_at IS NULL RETURNING ${columns}`,
} as const
