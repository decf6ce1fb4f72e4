import { closeSync, fstatSync, openSync } from 'node:fs'
import { DarkstreamError } from '../../contract/error.ts'
import type { FileClaim } from '../../contract/files.ts'
import { openSum } from '../../sums/file-sum.ts'
import { appendBody, isWriteError } from '../../util/append-body.ts'
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

/** Milliseconds between two looks at how much has come. */
const lookMs = 250

/**
 * Brings a source into a file, from where an earlier try ended, however often the line is cut; gives its SHA-256.
 *
 * @throws SourceChangedError; DarkstreamError for what the master refuses; the signal's reason; or the disk's error
 */
export async function download(request: DownloadRequest): Promise<string> {
  const { path, size, signal, retry_pause_ms, log } = request
  const file = openSync(path, 'a', 0o600)
  const here = () => fstatSync(file).size
  const sum = openSum(path, { is_growing: true })
  try {
    const whole = sum.end(size)
    for (let isTold = false; here() < size;) {
      try {
        await fetchRest(request, file, here)
        request.on_bytes(here())
      } catch (error) {
        signal.throwIfAborted()
        if (isRefused(error) || !(error instanceof DarkstreamError)) throw error
        if (!isTold) log.warn(`the download was cut at byte ${here()} of ${size}, will go on: ${error.message}`)
        isTold = true
        await sleep(jittered(retry_pause_ms), signal)
        signal.throwIfAborted()
      }
    }
    if (here() > size) throw new SourceChangedError('more came than the source has')
    return await whole
  } finally {
    sum.close()
    closeSync(file)
  }
}

/** One request, whose bytes are in the file then. */
async function fetchRest(request: DownloadRequest, file: number, here: () => number): Promise<void> {
  const { transfer, claim, etag, size, pace, signal, stall_timeout_ms } = request
  const [offset, limit] = [here(), pace.pieceBytes]
  const end = limit === null ? null : Math.min(size, offset + limit)
  if (end !== null) await pace.take(end - offset, signal)
  const watch = stallSignal(stall_timeout_ms, signal)
  const looking = setInterval(look, Math.min(lookMs, stall_timeout_ms / 4))
  let seen = offset
  try {
    const stream = await transfer.fetchSource(claim, { etag, offset, end }, watch.signal)
    if (stream.etag !== etag || stream.offset !== offset) throw new SourceChangedError('the source changed')
    await appendBody(file, stream.body, stream.length)
  } catch (error) {
    const isCut = !(error instanceof DarkstreamError || error instanceof SourceChangedError || isWriteError(error))
    if (!isCut) throw error
    throw new DarkstreamError('unreachable', `its bytes ended early: ${(error as Error).message}`, { cause: error })
  } finally {
    clearInterval(looking)
    watch.end()
  }

  function look(): void {
    const now = here()
    if (now === seen) return
    seen = now
    watch.live()
    request.on_bytes(now)
  }
}
