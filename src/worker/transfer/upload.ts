import { DarkstreamError } from '../../contract/error.ts'
import { type FileClaim, maxPartBytes } from '../../contract/files.ts'
import { sumOf } from '../../sums/file-sum.ts'
import { stallSignal, type TransferParts } from './transfer-parts.ts'

const firstPartBytes = 1 * 1024 * 1024
const leastPartBytes = 65_536
/** Milliseconds that a part should take at least: below, the next one is larger. */
const briefMs = 1000
/** Tries in a row that bring nothing on. */
const maxIdleTries = 4

export interface UploadRequest extends TransferParts {
  claim: FileClaim
  /** Of the result, which does not change any more. */
  path: string
  /** Bytes. */
  size: number
  signal: AbortSignal
}

/**
 * Brings a result to the master, from where an earlier try ended. Parts grow while the line is fast, and shrink when one is
 * not through before the stall timeout.
 *
 * @throws DarkstreamError for what the master refuses, and when it cannot be reached: what is there stays there
 */
export async function uploadResult(request: UploadRequest): Promise<void> {
  const { transfer, claim, size, signal } = request
  const sums = partSums(request.path)
  let at = await transfer.uploaded(claim, signal)
  let length = firstPartBytes
  for (let idle = 0; at !== size;) {
    // More than there is: of another result.
    if (at > size) at = 0
    const part = { offset: at, length: partLength(request, at, length) }
    try {
      const crc32 = await sums(part)
      const begun = performance.now()
      const next = at + part.length
      // While this part travels, the sum of the next is made.
      if (next < size) void sums({ offset: next, length: partLength(request, next, length) }).catch(() => {})
      at = await sendPart(request, { ...part, crc32 })
      idle = 0
      if (performance.now() - begun < briefMs) length = Math.min(length * 2, maxPartBytes)
    } catch (error) {
      signal.throwIfAborted()
      const isOurs = error instanceof DarkstreamError && ['wrong_offset', 'damaged', 'unreachable'].includes(error.code)
      if (!isOurs || ++idle > maxIdleTries) throw error
      if (error.code === 'unreachable') length = Math.max(leastPartBytes, Math.floor(part.length / 2))
      at = await transfer.uploaded(claim, signal)
    }
  }
}

function partLength({ size, pace }: UploadRequest, at: number, length: number): number {
  return Math.min(length, size - at, pace.pieceBytes ?? length)
}

/** The sums of a file's parts; of the newest one asked for it is made once. */
function partSums(path: string) {
  let newest: { key: string; sum: Promise<string> } | undefined
  return ({ offset, length }: { offset: number; length: number }): Promise<string> => {
    const key = `${offset}+${length}`
    if (newest?.key !== key) newest = { key, sum: sumOf(path, offset, offset + length, 'crc32') }
    return newest.sum
  }
}

async function sendPart(request: UploadRequest, part: { offset: number; length: number; crc32: string }) {
  const { transfer, claim, path, size, pace, signal, stall_timeout_ms } = request
  await pace.take(part.length, signal)
  const watch = stallSignal(stall_timeout_ms, signal)
  try {
    return await transfer.sendPart(claim, { path, size, ...part }, watch.signal)
  } finally {
    watch.end()
  }
}
