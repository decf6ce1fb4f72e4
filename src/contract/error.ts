/** What can go wrong across the wire, by code, with the HTTP status that carries it. */
export const httpStatusOfCode = {
  invalid_request: 400,
  /** No token, or one that does not hold. */
  unauthorized: 401,
  /** The token is not for this, or a page of another origin asks. */
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  /** The body did not come in time. */
  request_timeout: 408,
  /** The job is not the caller's, or not in a state that allows the act. Nothing was changed. */
  conflict: 409,
  /** A newer process registered under this worker's id; this one must stop. */
  worker_replaced: 409,
  request_too_large: 413,
  /** A part of an upload is not for the byte at which the result ends. Nothing was changed. */
  wrong_offset: 409,
  /** The bytes that came are not those that were sent: to be sent again. Nothing was changed. */
  damaged: 422,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
  /** The client's own: no answer came from the master. */
  unreachable: 504,
} as const

export type ErrorCode = keyof typeof httpStatusOfCode

/** The one type of expected failure. On the wire it is `{code, message}`; callers branch on `code`, never on text. */
export class DarkstreamError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DarkstreamError'
    this.code = code
  }
}

/** Whether a text is one of our codes; what a foreign server answers may not be. */
export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(httpStatusOfCode, code)
}
