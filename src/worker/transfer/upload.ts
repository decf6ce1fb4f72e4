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
 * Brings a result to the master, from where an earlier try ended, in parts that are as long as the line is fast. The next one
 * goes while the master still takes in the one before, and waits there for its turn, so that the line is never idle.
 *
 * @throws DarkstreamError for what the master refuses, and when it cannot be reached: what is there stays there
 */
export async function uploadResult(request: UploadRequest): Promise<void> {
  const { transfer, claim, size, part_length, signal } = request
  const begin = await transfer.uploaded(claim, signal)
  let [at, lastEnd, giveUp] = [begin, 0, new AbortController()]
  let ahead: SentPart | undefined
  for (let idle = 0; at !== size;) {
    // More than there is: of another result.
    if (at > size) at = 0
    const send = (offset: number) => sendPart(request, { offset, begin }, AbortSignal.any([signal, giveUp.signal]))
    const current = ahead ?? (await send(at))
    try {
      ahead = current.end < size ? await send(current.end) : undefined
      at = await current.uploaded
      const now = performance.now()
      part_length.took(current.length, now - Math.max(current.begun, lastEnd))
      ;[idle, lastEnd] = [0, now]
    } catch (error) {
      giveUp.abort(error)
      ;[ahead, giveUp] = [undefined, new AbortController()]
      signal.throwIfAborted()
      if (isTooLong(error)) {
        if (current.length <= leastPartBytes) throw noneFits()
        part_length.refused(current.length)
        continue
      }
      const isOurs = error instanceof DarkstreamError && ['wrong_offset', 'damaged', 'unreachable'].includes(error.code)
      if (!isOurs || ++idle > maxIdleTries) throw error
      if (error.code === 'unreachable') part_length.failed(current.length)
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

/** A part on its way. */
interface SentPart {
  /** Bytes of it, and the byte behind it. */
  length: number
  end: number
  /** When its first byte went, in milliseconds of `performance.now`. */
  begun: number
  /** Bytes of the result that are there then. */
  uploaded: Promise<number>
}

/** Begins to send the part at an offset, once its sum is made. */
async function sendPart(
  request: UploadRequest,
  { offset, begin }: { offset: number; begin: number },
  signal: AbortSignal,
): Promise<SentPart> {
  const { transfer, claim, path, size, pace, part_length, stall_timeout_ms } = request
  // No longer than all that went before it: so its sum is made while the part before is on its way.
  const most = Math.max(firstSumBytes, offset - begin)
  const length = Math.min(part_length.next, size - offset, pace.pieceBytes ?? size, most)
  const end = offset + length
  const crc32 = await sumOf(path, offset, end, 'crc32')
  await pace.take(length, signal)
  const [begun, watch] = [performance.now(), stallSignal(stall_timeout_ms, signal)]
  const uploaded = transfer.sendPart(claim, { path, offset, length, size, crc32 }, watch.signal).finally(watch.end)
  // Whoever gives up the one before it does not wait for this one.
  uploaded.catch(() => {})
  return { length, end, begun, uploaded }
}
