import { DarkstreamError } from '../../contract/error.ts'
import { type FileClaim, maxPartBytes } from '../../contract/files.ts'
import { sumOf } from '../../sums/file-sum.ts'
import { stallSignal, type TransferParts } from './transfer-parts.ts'

const firstPartBytes = 1 * 1024 * 1024
/** By how much a part may be longer or shorter than the one before. */
const maxGrowth = 8
const leastPartBytes = 65_536
/** Milliseconds that a part should take, roughly: what is cut is sent again. */
const partMs = 1000
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
 * Brings a result to the master, from where an earlier try ended, in parts that are as long as the line is fast.
 *
 * @throws DarkstreamError for what the master refuses, and when it cannot be reached: what is there stays there
 */
export async function uploadResult(request: UploadRequest): Promise<void> {
  const { transfer, claim, size, signal } = request
  const sums = partSums(request.path)
  let at = await transfer.uploaded(claim, signal)
  let [length, growth] = [firstPartBytes, maxGrowth]
  for (let idle = 0; at !== size;) {
    // More than there is: of another result.
    if (at > size) at = 0
    const part = { offset: at, length: partLength(request, at, length) }
    try {
      const crc32 = await sums(part)
      const next = at + part.length
      // While this part travels, the sum of the next is made, which is as much longer as this one was.
      const expected = partLength(request, next, lengthAfter(length, growth))
      if (next < size) void sums({ offset: next, length: expected }).catch(() => {})
      const begun = performance.now()
      at = await sendPart(request, { ...part, crc32 })
      idle = 0
      growth = growthAfter(performance.now() - begun)
      length = lengthAfter(length, growth)
    } catch (error) {
      signal.throwIfAborted()
      const isOurs = error instanceof DarkstreamError && ['wrong_offset', 'damaged', 'unreachable'].includes(error.code)
      if (!isOurs || ++idle > maxIdleTries) throw error
      if (error.code === 'unreachable') length = lengthAfter(part.length, 1 / 2)
      at = await transfer.uploaded(claim, signal)
    }
  }
}

/** By powers of two, so that small changes of the line change nothing. */
function growthAfter(elapsed_ms: number): number {
  return Math.max(1 / maxGrowth, Math.min(2 ** Math.round(Math.log2(partMs / elapsed_ms)), maxGrowth))
}

function lengthAfter(length: number, growth: number): number {
  return Math.max(leastPartBytes, Math.min(Math.floor(length * growth), maxPartBytes))
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
