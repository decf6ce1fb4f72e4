import * as v from 'valibot'
import type { Api } from '../contract/api.ts'
import { DarkstreamError, type ErrorCode, httpStatusOfCode, isErrorCode } from '../contract/error.ts'
import { type Input, type Operation, type Reply, routes } from '../contract/routes.ts'
import { tlsReasonOf } from './tls-reason.ts'

/** Milliseconds that an answer may take beyond the wait that the call itself asks for. */
export const answerTimeoutMs = 15_000

/** `fetch`, or an app's own `request` in a test that needs no socket. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>

/**
 * Asks as the holder of a token, where there is one; `request` is who knows the master from others. No redirect is
 * followed: it is nobody's who was asked for, and would make another request of this one.
 */
export function withToken(token: string | undefined, request: Fetch = (url, init) => fetch(url, init)): Fetch {
  return (url, init) => {
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
    return request(url, { ...init, headers, redirect: 'manual' })
  }
}

/**
 * The contract as seen from beyond: every operation is one HTTP request, checked on the way back. A master that cannot be
 * reached is a `DarkstreamError` of code `unreachable`; what the master refuses keeps its code.
 */
export function createClient(master_url: string, request: Fetch = withToken(undefined)): Api {
  const base = master_url.replace(/\/+$/, '')
  /** Whether a master has answered there, so that the address is right. */
  let isKnown = base.startsWith('https:')
  const entries = (Object.keys(routes) as Operation[]).map((operation) => [operation, call(operation)])
  return Object.fromEntries(entries) as Api

  function call<K extends Operation>(operation: K) {
    return async (input: Input<K>, signal?: AbortSignal): Promise<Reply<K>> => {
      const response = await send(operation, input, signal)
      isKnown = true
      if (response.status === 204) return readReply(operation, null)
      const body: unknown = await response.json().catch(() => undefined)
      if (!response.ok) throw refusal(response.status, body)
      return readReply(operation, body)
    }
  }

  async function send(operation: Operation, input: Record<string, unknown>, signal?: AbortSignal): Promise<Response> {
    const { method, path } = routes[operation]
    const isGet = method === 'GET'
    const url = isGet ? `${base}${path}${queryOf(input)}` : `${base}${path}`
    const wait = typeof input['wait'] === 'number' ? input['wait'] * 1000 : 0
    const timeout = AbortSignal.timeout(wait + answerTimeoutMs)
    try {
      return await request(url, {
        method,
        ...(isGet ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(input) }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      })
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      const isCut = !timeout.aborted && !isKnown && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
      const hint = isCut ? ' (a master with TLS is asked by https://)' : ''
      const why = timeout.aborted ? 'no answer in time' : `${reasonOf(error)}${hint}`
      throw new DarkstreamError('unreachable', `cannot reach the master at ${base}: ${why}`, { cause: error })
    }
  }

  function readReply<K extends Operation>(operation: K, body: unknown): Reply<K> {
    const reply = v.safeParse(routes[operation].reply, body)
    if (reply.success) return reply.output
    throw new DarkstreamError('unreachable', `${base} did not answer ${operation} as a darkstream master does`)
  }
}

const reasons: Record<string, string> = {
  ECONNREFUSED: 'connection refused',
  ConnectionRefused: 'connection refused',
  ECONNRESET: 'the connection was cut',
  ECONNABORTED: 'the connection was cut',
  FailedToOpenSocket: 'no such host, or no way to it',
  EHOSTUNREACH: 'no way to it',
  ENETUNREACH: 'no way to it',
  ETIMEDOUT: 'no answer in time',
}

/** In a word where there is one: fetch's own sentences are about websites. */
export function reasonOf(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const reason = reasons[code]
  if (reason !== undefined) return reason
  return tlsReasonOf(error) ?? message
}

function queryOf(input: Record<string, unknown>): string {
  const pairs = Object.entries(input).filter(([, value]) => value !== undefined)
  if (pairs.length === 0) return ''
  return `?${new URLSearchParams(Object.fromEntries(pairs.map(([key, value]) => [key, String(value)]))).toString()}`
}

/** What a proxy's status says of the caller; of jobs it knows nothing. */
const ownWords: readonly ErrorCode[] = ['unauthorized', 'forbidden', 'too_many_requests']

/** The master's own error when it is one; a proxy's or a stranger's answer by its status otherwise. */
export function refusal(status: number, body: unknown): DarkstreamError {
  const { code, message } = (typeof body === 'object' && body !== null ? body : {}) as {
    code?: unknown
    message?: unknown
  }
  if (isErrorCode(code)) return new DarkstreamError(code, typeof message === 'string' ? message : code)
  if (status >= 300 && status < 400) {
    const remedy = 'name the one that it leads to (https:// where this is http://?)'
    return new DarkstreamError('unavailable', `this address of the master redirects to another: ${remedy}`)
  }
  // A proxy that says 404 while the master is away must not make a worker throw its result away.
  const match = ownWords.find((known) => httpStatusOfCode[known] === status)
  return new DarkstreamError(match ?? 'unavailable', strangersWords(status))
}

/** What a status says that no master of ours has sent. */
function strangersWords(status: number): string {
  if (status === 404) {
    return 'what answers at this address is no darkstream master (HTTP status 404): is its path whole (--master)?'
  }
  if (status === 413) return 'a proxy before the master lets no body of this length through (HTTP status 413)'
  if (status >= 502 && status <= 504) return `a proxy before the master cannot reach it (HTTP status ${status})`
  return `the master answered with HTTP status ${status}`
}
