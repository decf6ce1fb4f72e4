import { DarkstreamError } from '../../contract/error.ts'
import type { FileClaim } from '../../contract/files.ts'
import { sumOf } from '../../sums/file-sum.ts'
import { leastPartBytes, type PartLength } from './part-length.ts'
import { stallSignal, type TransferParts } from './transfer-parts.ts'

/** The sum of so many bytes is made before the first of them goes. */
const firstSumBytes = 16 * 1024 * 1024
/** Tries in a row that bring nothing on. */
const maxIdleTries = 4

export interface UploadRequest extends TransferParts {
  claim: FileClaim
  /** Of the result, which does not change any more. */
  path: string
  /** Bytes. */
  size: number
  /** Of this worker's line. */
  part_length: PartLength
  signal: AbortSignal
}

/**
 * Brings a result to the master, from where an earlier try ended, in parts that are as long as the line is fast.
 *
 * @throws DarkstreamError for what the master refuses, and when it cannot be reached: what is there stays there
 */
export async function uploadResult(request: UploadRequest): Promise<void> {
  const { transfer, claim, size, part_length, pace, signal } = request
  const sums = partSums(request.path)
  const begin = await transfer.uploaded(claim, signal)
  let at = begin
  // No longer than all that went before it: so its sum is there when its turn comes.
  const partLength = (offset: number, length: number) =>
    Math.min(length, size - offset, pace.pieceBytes ?? length, Math.max(firstSumBytes, offset - begin))
  for (let idle = 0; at !== size;) {
    // More than there is: of another result.
    if (at > size) at = 0
    const part = { offset: at, length: partLength(at, part_length.next) }
    try {
      const crc32 = await sums(part)
      const next = at + part.length
      // While this part travels, the sum of the next is made, which is as much longer as this one was.
      const expected = partLength(next, part_length.second)
      if (next < size) void sums({ offset: next, length: expected }).catch(() => {})
      const begun = performance.now()
      at = await sendPart(request, { ...part, crc32 })
      idle = 0
      part_length.took(part.length, performance.now() - begun)
    } catch (error) {
      signal.throwIfAborted()
      if (isTooLong(error)) {
        if (part.length <= leastPartBytes) throw noneFits()
        part_length.refused(part.length)
        continue
      }
      const isOurs = error instanceof DarkstreamError && ['wrong_offset', 'damaged', 'unreachable'].includes(error.code)
      if (!isOurs || ++idle > maxIdleTries) throw error
      if (error.code === 'unreachable') part_length.failed(part.length)
      at = await transfer.uploaded(claim, signal)
    }
  }
}

function isTooLong(error: unknown): boolean {
  return error instanceof DarkstreamError && error.code === 'request_too_large'
}

/** What whoever runs the proxy can mend is tried again. */
function noneFits(): DarkstreamError {
  const remedy = 'let it take bodies of 256 MiB (nginx: client_max_body_size 0)'
  return new DarkstreamError(
    'unavailable',
    `a proxy before the master takes no part of ${leastPartBytes} bytes: ${remedy}`,
  )
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
