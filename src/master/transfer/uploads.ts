import { type FileHandle, lstat, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import type { UploadPart } from '../../contract/files.ts'
import { type FileSum, openSum, sumOf } from '../../sums/file-sum.ts'
import { openOwnFile } from './own-file.ts'

/** A result on its way. */
interface Upload {
  /** Bytes that are here and good; what lies beyond them came in a part that did not end well. */
  size: number
  /** Of all of it, as far as it is here; undefined where it has to be read from the file. */
  sum: FileSum | undefined
  /** Ends the part that is being received. */
  receiving: AbortController
  /** One part at a time. */
  turn: Promise<unknown>
}

/** Takes results in, part by part, into their staging files. */
export class Uploads {
  private readonly uploads = new Map<string, Upload>()

  /** Bytes of a staged result that are here and good. */
  async size(staged: string): Promise<number> {
    const known = this.uploads.get(staged)
    await known?.turn
    const here = await sizeOf(staged)
    if (known === undefined || known.size <= here) return known?.size ?? here
    // Somebody took it away.
    known.sum?.close()
    this.uploads.delete(staged)
    return here
  }

  /**
   * Appends a part, or changes nothing. A part that is still on its way is given up for a newer one: its sender has.
   *
   * @throws DarkstreamError `wrong_offset`, `damaged`, `invalid_request`, or `unavailable` when the disk is full
   */
  async receive(staged: string, part: UploadPart, body: ReadableStream<Uint8Array>): Promise<number> {
    if (part.offset + part.length > part.size) throw tooLong(part)
    const upload = this.uploads.get(staged) ?? (await this.begin(staged))
    upload.receiving.abort()
    const receiving = new AbortController()
    upload.receiving = receiving
    const received = upload.turn.then(() => append(staged, upload, part, pieces(body, receiving.signal)))
    upload.turn = received.catch(() => {})
    await received
    return upload.size
  }

  /** The SHA-256 of a whole staged file. */
  async sumOf(staged: string): Promise<string> {
    const upload = this.uploads.get(staged)
    await upload?.turn
    const sum = upload?.sum
    if (upload) upload.sum = undefined
    if (sum === undefined) return sumOf(staged, 0, await sizeOf(staged))
    return sum.end(upload?.size ?? 0).finally(() => sum.close())
  }

  /** Forgets those whose staging files are gone, which cost room on the disk until then. */
  async prune(): Promise<void> {
    for (const [staged, { sum }] of this.uploads) {
      if (await stat(staged).catch(() => undefined)) continue
      sum?.close()
      this.uploads.delete(staged)
    }
  }

  private async begin(staged: string): Promise<Upload> {
    const upload = {
      size: await sizeOf(staged),
      sum: undefined,
      receiving: new AbortController(),
      turn: Promise.resolve(),
    }
    // Two that begin at once are one upload.
    return this.uploads.get(staged) ?? (this.uploads.set(staged, upload), upload)
  }
}

/** Writes a part behind what is there and reads it back for its sum; what goes wrong leaves the result as it was. */
async function append(
  staged: string,
  upload: Upload,
  part: UploadPart,
  body: AsyncIterable<Uint8Array>,
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
    const end = await write(file, staged, part, body)
    upload.sum ??= upload.size === 0 ? openSum(staged) : undefined
    upload.size = end
    upload.sum?.grow(end)
  } catch (error) {
    await file.truncate(upload.size).catch(() => {})
    throw writeError(error, staged)
  } finally {
    await file.close()
  }
}

/** Gives where the part ends. */
async function write(
  file: FileHandle,
  staged: string,
  part: UploadPart,
  body: AsyncIterable<Uint8Array>,
): Promise<number> {
  const end = part.offset + part.length
  const sum = openSum(staged, part.offset)
  try {
    let at = part.offset
    for await (const piece of body) {
      if (at + piece.length > end) throw tooLong(part)
      for (let written = 0; written < piece.length;) {
        written += (await file.write(piece, written, piece.length - written)).bytesWritten
      }
      at += piece.length
      sum.grow(at)
    }
    if (at < end) throw new DarkstreamError('invalid_request', `the part ended after ${at - part.offset} bytes`)
    if ((await sum.end(end)) === part.sha256) return end
    throw new DarkstreamError('damaged', `the part at byte ${part.offset} came with other bytes than its SHA-256 says`)
  } finally {
    sum.close()
  }
}

/** From the first byte again, as a sender does whose result is another one. */
async function restart(file: FileHandle, upload: Upload): Promise<void> {
  upload.sum?.close()
  upload.sum = undefined
  upload.size = 0
  await file.truncate(0)
}

/** The body's pieces, until the signal: a read that hangs on a dead connection ends, too. */
async function* pieces(body: ReadableStream<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  const stop = () => void reader.cancel().catch(() => {})
  signal.addEventListener('abort', stop, { once: true })
  try {
    for (;;) {
      if (signal.aborted) throw new DarkstreamError('wrong_offset', 'a newer part took the place of this one')
      const { value, done } = await reader.read()
      if (done && !signal.aborted) return
      if (value) yield value
    }
  } finally {
    signal.removeEventListener('abort', stop)
    stop()
  }
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
