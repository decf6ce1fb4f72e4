import type { Context, Hono } from 'hono'
import * as v from 'valibot'
import { DarkstreamError } from '../contract/error.ts'
import { Crc32, Integer, JobId, Name } from '../contract/fields.ts'
import { type FileDesk, maxPartBytes, type PartBody, type SourceFile, type UploadPart } from '../contract/files.ts'
import { connectionOf } from './connection.ts'
import type { Doorkeeper } from './doorkeeper.ts'

/** Where a worker gets the source of its claim, and where it leaves the result. */
export const filePaths = { source: '/api/worker/source', result: '/api/worker/result' } as const

/** Of a part: its CRC-32 in hex. */
export const partSumHeader = 'X-Part-CRC32'
/** Of an answer: bytes of the result that are there. */
export const uploadedHeader = 'X-Uploaded'

const Claim = v.object({ job_id: JobId, worker_id: Name(), attempt: Integer(1) })
const Part = v.object({ offset: Integer(0), size: Integer(1), length: Integer(1, maxPartBytes), crc32: Crc32 })

/**
 * The bytes of jobs over HTTP, beside the route table: only for the worker that holds the claim, and from and to the paths
 * that the job has. To be mounted before the limit of bodies, which is for JSON.
 */
export function mountFiles(app: Hono, files: FileDesk, doorkeeper: Doorkeeper): void {
  app.all(filePaths.source, async (c) => {
    allow(c, ['GET', 'HEAD'])
    await doorkeeper.admitRole(c, 'worker')
    return sourceResponse(c, await files.source(claimOf(c)))
  })
  app.all(filePaths.result, async (c) => {
    allow(c, ['GET', 'HEAD', 'POST'])
    await doorkeeper.admitRole(c, 'worker')
    const claim = claimOf(c)
    const isPart = c.req.raw.method === 'POST'
    const uploaded = isPart ? await files.receive(claim, partOf(c), bodyOf(c)) : await files.uploaded(claim)
    return c.json({ uploaded }, 200, { [uploadedHeader]: String(uploaded) })
  })
}

function allow(c: Context, methods: readonly string[]): void {
  if (methods.includes(c.req.raw.method)) return
  c.header('Allow', methods.join(', '))
  throw new DarkstreamError('method_not_allowed', `${c.req.path} takes ${methods.join(', ')}`)
}

function claimOf(c: Context) {
  return parsed(Claim, c.req.query())
}

function partOf(c: Context): UploadPart {
  const { offset, size } = c.req.query()
  const length = c.req.header('Content-Length')
  if (length === undefined) {
    const why = 'a part tells its length before it comes, it is not sent in chunks'
    throw new DarkstreamError('invalid_request', `Content-Length: is missing; ${why}`)
  }
  const told = { offset, size, length, crc32: c.req.header(partSumHeader) }
  return parsed(Part, told, { length: 'Content-Length', crc32: partSumHeader })
}

/** @param names those under which fields come, where they have others */
function parsed<T extends v.GenericSchema>(
  schema: T,
  told: unknown,
  names: Record<string, string> = {},
): v.InferOutput<T> {
  const result = v.safeParse(schema, told)
  if (result.success) return result.output
  const nameOf = (field: string | null) => (field === null ? 'the request' : (names[field] ?? field))
  const faults = result.issues.map((issue) => `${nameOf(v.getDotPath(issue))}: ${issue.message}`)
  throw new DarkstreamError('invalid_request', faults.join('; '))
}

/** Nothing when there is none, which the master tells from what was announced. */
function bodyOf(c: Context): PartBody {
  const stream = c.req.raw.body ?? new ReadableStream({ start: (controller) => controller.close() })
  return { stream, hangUp: () => connectionOf(c).hangUp?.() }
}

/** The file, or the piece of it that was asked for while it is still the same. */
function sourceResponse(c: Context, { path, size, etag }: SourceFile): Response {
  const headers = { ETag: etag, 'Accept-Ranges': 'bytes', 'Content-Type': 'application/octet-stream' }
  if (c.req.raw.method === 'HEAD') {
    return new Response(null, { headers: { ...headers, 'Content-Length': String(size) } })
  }
  // Only now: a Bun.file whose size was read before the file grew serves the old length as if it were all.
  const file = Bun.file(path)
  const condition = c.req.header('If-Range')
  const isSame = condition === undefined || condition === etag
  const range = isSame && size > 0 ? rangeOf(c.req.header('Range'), size) : undefined
  if (range === undefined) return new Response(size === 0 ? null : file.slice(0, size), { status: 200, headers })
  if (range === null) return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${size}` } })
  const { start, end } = range
  return new Response(file.slice(start, end), {
    status: 206,
    headers: { ...headers, 'Content-Range': `bytes ${start}-${end - 1}/${size}` },
  })
}

/** One range, `end` exclusive; undefined where there is none that we know, null where it lies beyond the end (RFC 9110, 14.2). */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null | undefined {
  const [, first = '', last = ''] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return undefined
  if (first === '') return Number(last) === 0 ? null : { start: Math.max(0, size - Number(last)), end: size }
  const [start, end] = [Number(first), last === '' ? size : Math.min(size, Number(last) + 1)]
  if (last !== '' && Number(last) < start) return undefined
  return start >= size ? null : { start, end }
}
