import { type FileHandle, lstat, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import type { PartBody, UploadPart } from '../../contract/files.ts'
import { type FileSum, openSum } from '../../sums/file-sum.ts'
import { appendBody } from '../../util/append-body.ts'
import { openOwnFile } from './own-file.ts'

/**
 * Bytes that come faster than this, on a line of the machine's own, need the cores themselves: their SHA-256 waits until all
 * are here. Of slower ones it is made as they come, while they are still in memory.
 */
const fastBytesPerMs = 500_000

/** A result on its way. */
interface Upload {
  /** Bytes that are here and good; what lies beyond them came in a part that did not end well. */
  size: number
  /** The SHA-256 of the good bytes as they come; undefined where it has to be begun at the first of them. */
  sum: FileSum | undefined
  /** That of all of them, once it was asked for. */
  whole: Promise<string> | undefined
  /** The part that is being received. */
  incoming: PartBody | undefined
  /** One part at a time. */
  turn: Promise<unknown>
}

/** Takes results in, part by part, into their staging files. */
export class Uploads {
  private readonly uploads = new Map<string, Upload>()

  /** Bytes of a staged result that are here and good, once no part is on its way any more. */
  async size(staged: string): Promise<number> {
    const known = this.uploads.get(staged)
    // Who asks has given up what he sent, if that has not ended by itself.
    known?.incoming?.hangUp()
    await known?.turn
    const here = await sizeOf(staged)
    if (known === undefined || known.size <= here) return known?.size ?? here
    // Somebody took it away.
    forgetSum(known)
    this.uploads.delete(staged)
    return here
  }

  /**
   * Appends a part, or changes nothing. One that is still on its way, whose sender has given it up, is waited for until its
   * connection ends.
   *
   * @throws DarkstreamError `wrong_offset`, `damaged`, `invalid_request`, or `unavailable` when the disk is full
   */
  async receive(staged: string, part: UploadPart, body: PartBody): Promise<number> {
    if (part.offset + part.length > part.size) throw tooLong(part)
    const upload = this.uploads.get(staged) ?? (await this.begin(staged))
    upload.incoming?.hangUp()
    upload.incoming = body
    const received = upload.turn.then(() => append(staged, upload, part, body.stream))
    upload.turn = received.catch(() => {})
    await received.finally(() => {
      if (upload.incoming === body) upload.incoming = undefined
    })
    return upload.size
  }

  /**
   * The SHA-256 of a whole staged file of so many bytes, computed once however often it is asked for.
   *
   * @throws DarkstreamError `wrong_offset` while it is not whole, which is no fault of the result's
   */
  async sumOf(staged: string, size: number): Promise<string> {
    const upload = this.uploads.get(staged) ?? (await this.begin(staged))
    if (upload.incoming !== undefined || upload.size < size) {
      const rest = upload.incoming ? 'a part of it is still coming in' : 'the rest has to be uploaded first'
      throw new DarkstreamError('wrong_offset', `${upload.size} of the result's ${size} bytes are here: ${rest}`)
    }
    upload.whole ??= wholeSum(staged, upload)
    return upload.whole
  }

  /** Forgets those whose staging files are gone, which cost room on the disk until then. */
  async prune(): Promise<void> {
    for (const [staged, upload] of this.uploads) {
      if (await stat(staged).catch(() => undefined)) continue
      forgetSum(upload)
      this.uploads.delete(staged)
    }
  }

  private async begin(staged: string): Promise<Upload> {
    const size = await sizeOf(staged)
    const upload = { size, sum: undefined, whole: undefined, incoming: undefined, turn: Promise.resolve() }
    // Two that begin at once are one upload.
    return this.uploads.get(staged) ?? (this.uploads.set(staged, upload), upload)
  }
}

/** Writes a part behind what is there; what goes wrong leaves the result as it was. */
async function append(
  staged: string,
  upload: Upload,
  part: UploadPart,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  if (part.offset !== upload.size && part.offset !== 0) throw wrongOffset(part, upload.size)
  const file = await openOwnFile(staged).catch((error: unknown) => {
    throw writeError(error, staged)
  })
  try {
    if (part.offset === 0) await restart(file, upload)
    await refuseFull(staged, part)
    // What a crash left half written lies behind the good bytes.
    await file.truncate(upload.size)
    const begun = performance.now()
    await write(file, staged, part, body)
    // What was asked for before is the sum of less.
    if (upload.whole) forgetSum(upload)
    upload.sum ??= openSum(staged)
    upload.size += part.length
    if (part.length / (performance.now() - begun) < fastBytesPerMs) upload.sum.grow(upload.size)
  } catch (error) {
    await file.truncate(upload.size).catch(() => {})
    throw writeError(error, staged)
  } finally {
    await file.close()
  }
}

async function write(
  file: FileHandle,
  staged: string,
  part: UploadPart,
  body: ReadableStream<Uint8Array>,
): Promise<void> {
  // Read back by a thread while it comes.
  const sum = openSum(staged, { from: part.offset, algorithm: 'crc32', is_growing: true })
  try {
    const found = sum.end(part.offset + part.length)
    const length = await appendBody(file.fd, body, part.length)
    if (length > part.length) throw tooLong(part)
    if (length < part.length) throw new DarkstreamError('invalid_request', `the part ended after ${length} bytes`)
    if ((await found) === part.crc32) return
    throw new DarkstreamError('damaged', `the part at byte ${part.offset} came with other bytes than its CRC-32 says`)
  } finally {
    sum.close()
  }
}

/** From the first byte again, as a sender does whose result is another one. */
async function restart(file: FileHandle, upload: Upload): Promise<void> {
  forgetSum(upload)
  upload.size = 0
  await file.truncate(0)
}

async function wholeSum(staged: string, upload: Upload): Promise<string> {
  const sum = upload.sum ?? openSum(staged)
  upload.sum = undefined
  try {
    return await sum.end(upload.size)
  } catch (error) {
    upload.whole = undefined
    throw error
  } finally {
    sum.close()
  }
}

function forgetSum(upload: Upload): void {
  upload.sum?.close()
  upload.sum = undefined
  upload.whole = undefined
}

/** Before a byte of it came, so that the sender hears why and not that the connection was cut. */
async function refuseFull(staged: string, { length }: UploadPart): Promise<void> {
  const disk = await statfs(dirname(staged)).catch(() => undefined)
  if (disk && disk.bavail * disk.bsize < length) throw diskFull(staged)
}

async function sizeOf(path: string): Promise<number> {
  return lstat(path).then(
    (found) => (found.isFile() ? found.size : 0),
    () => 0,
  )
}

function writeError(error: unknown, staged: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return diskFull(staged)
  if (error instanceof DarkstreamError || typeof code !== 'string') return error
  if (!/^E[A-Z]+$/.test(code)) return error
  return new DarkstreamError('unavailable', `the result cannot be written to ${dirname(staged)}: ${code}`)
}

function diskFull(staged: string): DarkstreamError {
  return new DarkstreamError('unavailable', `the master's disk for results is full (${dirname(dirname(staged))})`)
}

function wrongOffset({ offset }: UploadPart, size: number): DarkstreamError {
  return new DarkstreamError('wrong_offset', `the part is for byte ${offset}, the result ends at byte ${size}`)
}

function tooLong({ offset, length, size }: UploadPart): DarkstreamError {
  return new DarkstreamError(
    'invalid_request',
    `${length} bytes at ${offset} do not fit into a part of a result of ${size}`,
  )
}
