import { describe, expect, test } from 'bun:test'
import { createApp } from '../../src/api/server.ts'
import { type Operation, routes } from '../../src/contract/routes.ts'
import { roleFor, tokenRoles } from '../../src/contract/token.ts'
import { createToken, holderOf } from '../../src/master/token-book.ts'
import { createLog } from '../../src/util/log.ts'
import { openMaster } from '../support/master.ts'

const operations = Object.keys(routes) as Operation[]
const log = createLog({ level: 'error', format: 'text', output_path: null })

/** A master that asks for tokens, one of each role, and a way to ask it. */
async function guarded() {
  const master = openMaster()
  const made = await Promise.all(
    tokenRoles.map(async (role) => [role, await createToken(master.store, role, '')] as const),
  )
  const tokens = Object.fromEntries(made.map(([role, { token }]) => [role, token])) as Record<
    (typeof tokenRoles)[number],
    string
  >
  const guard = (token: string) => holderOf(master.store, token)
  const app = createApp({ api: master.api, version: '0', log, guard })
  const ask = async (operation: Operation, authorization?: string) => {
    const { method, path } = routes[operation]
    const headers = authorization === undefined ? {} : { Authorization: authorization }
    return app.request(`http://master${path}`, { method, headers })
  }
  return { master, tokens, app, ask, made: Object.fromEntries(made) }
}

const isLetIn = ({ status }: Response) => status !== 401 && status !== 403

describe('a master that asks for tokens', () => {
  test('lets each role do what it is for, and nothing else', async () => {
    const { tokens, ask } = await guarded()
    for (const operation of operations) {
      const needed = roleFor(operation)
      for (const role of tokenRoles) {
        const isIn = isLetIn(await ask(operation, `Bearer ${tokens[role]}`))
        expect([operation, role, isIn]).toEqual([operation, role, role === 'admin' || role === needed])
      }
    }
  })

  test('gives no job to who waits for one with a token that is revoked meanwhile', async () => {
    const { master, tokens, app, made } = await guarded()
    const next = (token: string) =>
      app.request('http://master/api/worker/next-job?worker_id=w&wait=20', {
        headers: { Authorization: `Bearer ${token}` },
      })
    const waiting = next(tokens.worker)
    await master.store.revokeToken(made['worker']?.id ?? '')
    expect((await waiting).status).toBe(401)
    await master.addSource('a.mkv')
    expect(await master.api.status({})).toMatchObject({ pending: 1 })
    expect((await next(tokens.admin)).status).toBe(200)
  })

  test('acts are for admins, looking for readers, and what workers call for workers', () => {
    expect(operations.filter((operation) => roleFor(operation) === 'worker').toSorted()).toEqual(
      operations
        .filter((operation) => routes[operation].path.startsWith('/api/worker/') && operation !== 'resumeWorker')
        .toSorted(),
    )
    expect(roleFor('cancelJob')).toBe('admin')
    expect(roleFor('resumeWorker')).toBe('admin')
    expect(roleFor('jobs')).toBe('read')
  })

  test('refuses every other word with 401, and says how to ask', async () => {
    const { tokens, ask } = await guarded()
    const others = [undefined, '', 'Bearer', `Bearer ${tokens.admin}x`, `Bearer ${tokens.admin.slice(0, -1)}`]
    const more = [
      tokens.admin,
      `Basic ${btoa(`admin:${tokens.admin}`)}`,
      `Bearer ${tokens.admin} ${tokens.admin}`,
      'Bearer \u0000',
    ]
    for (const authorization of [...others, ...more.slice(0, 3)]) {
      for (const operation of ['jobs', 'cancelJob', 'claim', 'nextJob'] as const) {
        const response = await ask(operation, authorization)
        expect([authorization, response.status, response.headers.get('WWW-Authenticate')]).toEqual([
          authorization,
          401,
          'Bearer',
        ])
        expect(await response.json()).toMatchObject({ code: 'unauthorized' })
      }
    }
  })

  test('a revoked token opens nothing from the next request on', async () => {
    const { master, made, tokens, ask } = await guarded()
    expect((await ask('status', `Bearer ${tokens.read}`)).status).toBe(200)
    await master.store.revokeToken(made['read']?.id ?? '')
    expect((await ask('status', `Bearer ${tokens.read}`)).status).toBe(401)
  })

  test('tells everybody that it lives, and nobody else what it holds', async () => {
    const { app, tokens } = await guarded()
    for (const path of ['/healthz', '/api/health']) expect((await app.request(path)).status).toBe(200)
    expect(await (await app.request('/readyz')).json()).toEqual({ status: 'ready' })
    const headers = { Authorization: `Bearer ${tokens.read}` }
    expect(await (await app.request('/readyz', { headers })).json()).toMatchObject({ status: 'ready', pending: 0 })
    expect((await app.request('/metrics')).status).toBe(401)
    expect((await app.request('/metrics', { headers })).status).toBe(200)
  })

  test('keeps no token that it could tell', async () => {
    const { master, tokens } = await guarded()
    const kept = JSON.stringify(await master.store.tokens())
    for (const token of Object.values(tokens)) expect(kept).not.toContain(token)
  })
})
