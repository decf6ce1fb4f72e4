import { closeSync, fstatSync, openSync, writeSync } from 'node:fs'
import { DarkstreamError } from '../../contract/error.ts'
import type { FileClaim } from '../../contract/files.ts'
import { openSum } from '../../sums/file-sum.ts'
import { jittered, sleep } from '../../util/clock.ts'
import { isRefused, stallSignal, type TransferParts } from './transfer-parts.ts'

export interface DownloadRequest extends TransferParts {
  claim: FileClaim
  /** Gets the bytes behind those that it has of an earlier try. */
  path: string
  etag: string
  /** Bytes of the whole. */
  size: number
  on_bytes: (bytes: number) => void
  signal: AbortSignal
}

/** The source is not the one any more whose bytes are here. */
export class SourceChangedError extends Error {}

/**
 * Brings a source into a file, from where an earlier try ended, however often the line is cut; gives its SHA-256.
 *
 * @throws SourceChangedError; DarkstreamError for what the master refuses; the signal's reason; or the disk's error
 */
export async function download(request: DownloadRequest): Promise<string> {
  const { path, size, signal, retry_pause_ms, log } = request
  const file = openSync(path, 'a', 0o600)
  const sum = openSum(path)
  try {
    let at = fstatSync(file).size
    if (at > size) throw new SourceChangedError('more is here than the source has')
    sum.grow(at)
    for (let isTold = false; at < size;) {
      try {
        for await (const piece of piecesFrom(request, at)) {
          if (at + piece.length > size) throw new SourceChangedError('more came than the source has')
          for (let written = 0; written < piece.length;) written += writeSync(file, piece, written)
          at += piece.length
          sum.grow(at)
          request.on_bytes(at)
        }
      } catch (error) {
        signal.throwIfAborted()
        if (isRefused(error) || !(error instanceof DarkstreamError)) throw error
        if (!isTold) log.warn(`the download was cut at byte ${at} of ${size}, will go on: ${error.message}`)
        isTold = true
        await sleep(jittered(retry_pause_ms), signal)
        signal.throwIfAborted()
      }
    }
    return await sum.end(size)
  } finally {
    sum.close()
    closeSync(file)
  }
}

/** What one request gives. */
async function* piecesFrom(request: DownloadRequest, offset: number): AsyncGenerator<Uint8Array> {
  const { transfer, claim, etag, size, pace, signal, stall_timeout_ms } = request
  const limit = pace.pieceBytes
  const end = limit === null ? null : Math.min(size, offset + limit)
  if (end !== null) await pace.take(end - offset, signal)
  const watch = stallSignal(stall_timeout_ms, signal)
  try {
    const stream = await transfer.fetchSource(claim, { etag, offset, end }, watch.signal)
    if (stream.etag !== etag || stream.offset !== offset) throw new SourceChangedError('the source changed')
    for await (const piece of stream.body) {
      watch.live()
      yield piece
    }
  } finally {
    watch.end()
  }
}
