import * as v from 'valibot'
import { type Operation, routes } from './routes.ts'

/** What a token's holder may do: `worker` what workers call, `read` look, `admin` all of it. */
export const tokenRoles = ['worker', 'admin', 'read'] as const
export const TokenRole = v.picklist(tokenRoles, `must be one of ${tokenRoles.join(', ')}`)
export type TokenRole = v.InferOutput<typeof TokenRole>

const workerOperations = new Set<Operation>([
  'nextJob',
  'complete',
  'fail',
  'skip',
  'heartbeat',
  'register',
  'claim',
  'reportProgress',
  'release',
  'leave',
  'beginStorageProof',
  'confirmStorage',
  'sourceMark',
  'sourceSum',
])

/** The least role that an operation takes. */
export function roleFor(operation: Operation): TokenRole {
  if (workerOperations.has(operation)) return 'worker'
  return routes[operation].method === 'GET' ? 'read' : 'admin'
}

/** Whether a holder of one role may do what another is needed for. */
export function mayAct(held: TokenRole, needed: TokenRole): boolean {
  return held === 'admin' || held === needed
}
