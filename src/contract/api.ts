import * as v from 'valibot'
import { DarkstreamError } from './error.ts'
import { type Input, type Operation, type Parsed, type Reply, routes } from './routes.ts'

/**
 * What roles ask of a master. The coordinator answers it over the queue, the HTTP client over the wire; both throw
 * `DarkstreamError`. The signal ends a wait; what was already done stays done.
 */
export type Api = { [K in Operation]: (input: Input<K>, signal?: AbortSignal) => Promise<Reply<K>> }

/** The same operations as those who carry them out write them: with checked input. */
export type Handlers = { [K in Operation]: (input: Parsed<K>, signal?: AbortSignal) => Promise<Reply<K>> }

/** Puts the one check of all input in front of handlers, so that callers within and beyond the process meet the same. */
export function checkedApi(handlers: Handlers): Api {
  const entries = (Object.keys(routes) as Operation[]).map((operation) => [operation, checked(operation)])
  return Object.fromEntries(entries) as Api

  function checked<K extends Operation>(operation: K) {
    return async (input: Input<K>, signal?: AbortSignal) => handlers[operation](parseInput(operation, input), signal)
  }
}

/**
 * An operation's input, checked and completed.
 *
 * @throws DarkstreamError `invalid_request` that names every field at fault
 */
export function parseInput<K extends Operation>(operation: K, input: unknown): Parsed<K> {
  const result = v.safeParse(routes[operation].input, input)
  if (result.success) return result.output
  const faults = result.issues.map((issue) => {
    const field = v.getDotPath(issue)
    const isMissing = issue.path?.at(-1)?.value === undefined
    return field === null ? issue.message : `${field}: ${isMissing ? 'is missing' : issue.message}`
  })
  throw new DarkstreamError('invalid_request', faults.slice(0, 20).join('; '))
}
