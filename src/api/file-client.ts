import { DarkstreamError } from '../contract/error.ts'
import type { FileClaim, FileTransfer, UploadPart } from '../contract/files.ts'
import { answerTimeoutMs, type Fetch, reasonOf, refusal, withToken } from './client.ts'
import { filePaths, partSumHeader, uploadedHeader } from './files.ts'

/**
 * A master's files as a worker beyond meets them. What the master refuses keeps its code; one that cannot be reached is a
 * `DarkstreamError` of code `unreachable`. Nothing here waits for ever but the bytes themselves, which the caller watches.
 */
export function createFileClient(master_url: string, request: Fetch = withToken(undefined)): FileTransfer {
  const base = master_url.replace(/\/+$/, '')
  return {
    async describe(claim, signal) {
      // By GET: a refusal of HEAD could not say why.
      const response = await send(urlOf(filePaths.source, claim), rangeRequest(0, 1), shortly(signal))
      await response.body?.cancel()
      return { etag: response.headers.get('ETag') ?? '', size: pieceOf(response).size }
    },

    async fetchSource(claim, { etag, offset, end }, signal) {
      const response = await send(urlOf(filePaths.source, claim), rangeRequest(offset, end, etag), signal)
      return {
        etag: response.headers.get('ETag') ?? '',
        ...pieceOf(response),
        body: response.body ?? new ReadableStream({ start: (controller) => controller.close() }),
      }
    },

    async uploaded(claim, signal) {
      return uploadedOf(await send(urlOf(filePaths.result, claim), { method: 'GET' }, shortly(signal)))
    },

    async sendPart(claim, { path, offset, length, size, crc32 }, signal) {
      const url = urlOf(filePaths.result, claim, { offset, size })
      const kind = { 'Content-Type': 'application/octet-stream', 'Content-Length': String(length) }
      const headers = { [partSumHeader]: crc32, ...kind }
      // By POST, and not by PUT, which fetch sends again by itself; a fresh file, whose size nobody has read before.
      const part = Bun.file(path).slice(offset, offset + length)
      // With TLS fetch reads the whole of a file before it sends any of it.
      const body = base.startsWith('https:') ? part.stream() : part
      return uploadedOf(await send(url, { method: 'POST', headers, body }, signal))
    },
  }

  function urlOf(path: string, claim: FileClaim, more: Partial<UploadPart> = {}): string {
    const { job_id, worker_id, attempt } = claim
    const pairs = Object.entries({ job_id, worker_id, attempt, ...more }).map(([key, value]) => [key, String(value)])
    return `${base}${path}?${new URLSearchParams(Object.fromEntries(pairs)).toString()}`
  }

  async function send(url: string, init: RequestInit, signal: AbortSignal): Promise<Response> {
    // The answer's headers come at once, or when the bytes that are sent have gone.
    const response = await request(url, { ...init, signal }).catch((error: unknown) => {
      throw unreachable(base, error, signal)
    })
    if (response.ok) return response
    // The master's own limit has other words: this is of a proxy, which takes shorter bodies.
    if (response.status === 413)
      throw new DarkstreamError('request_too_large', 'a proxy before the master takes no part as long')
    throw refusal(response.status, await response.json().catch(() => undefined))
  }
}

function rangeRequest(offset: number, end: number | null, etag?: string): RequestInit {
  const range = { Range: `bytes=${offset}-${end === null ? '' : end - 1}` }
  return { method: 'GET', headers: etag === undefined ? range : { ...range, 'If-Range': etag } }
}

/** Which bytes a response has, and of how many; of one that is not partial, all. */
function pieceOf({ status, headers }: Response): { offset: number; length: number; size: number } {
  const [, start, size] = /^bytes (\d+)-\d+\/(\d+)$/.exec(headers.get('Content-Range') ?? '') ?? []
  const length = Number(headers.get('Content-Length') ?? 0)
  return { offset: status === 206 ? Number(start ?? 0) : 0, length, size: Number(size ?? length) }
}

function uploadedOf(response: Response): number {
  const uploaded = Number(response.headers.get(uploadedHeader) ?? 'none')
  if (Number.isSafeInteger(uploaded)) return uploaded
  throw new DarkstreamError('unreachable', 'the master did not say how much of the result it has')
}

function shortly(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)])
}

function unreachable(base: string, error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted && (signal.reason as Error).name !== 'TimeoutError') return signal.reason
  return new DarkstreamError('unreachable', `cannot reach the master at ${base}: ${reasonOf(error)}`, { cause: error })
}
