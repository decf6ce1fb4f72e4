import { type FileHandle, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import type { UploadPart } from '../../contract/files.ts'
import { openSum } from '../../sums/file-sum.ts'
import { appendBody } from '../../util/append-body.ts'
import { openOwnFile } from './own-file.ts'

/**
 * Writes a part of a result into its staging file, where the good bytes end at the part's offset: what lies beyond them came
 * in a part that did not end well. So does one that throws leave the good bytes alone.
 *
 * @throws DarkstreamError `damaged`, `invalid_request`, `forbidden`, or `unavailable` when the disk is full or will not
 */
export async function appendPart(staged: string, part: UploadPart, body: ReadableStream<Uint8Array>): Promise<void> {
  const file = await openOwnFile(staged).catch((error: unknown) => {
    throw writeError(error, staged)
  })
  try {
    await file.truncate(part.offset)
    await refuseFull(staged, part)
    await write(file, staged, part, body)
  } catch (error) {
    await file.truncate(part.offset).catch(() => {})
    throw writeError(error, staged)
  } finally {
    await file.close()
  }
}

/** Before a byte of it came, so that the sender hears why and not that the connection was cut. */
async function refuseFull(staged: string, { length }: UploadPart): Promise<void> {
  const disk = await statfs(dirname(staged)).catch(() => undefined)
  if (disk && disk.bavail * disk.bsize < length) throw diskFull(staged)
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

/** More bytes than a part, or a result, is to have. */
export function tooLong({ offset, length, size }: UploadPart): DarkstreamError {
  return new DarkstreamError(
    'invalid_request',
    `${length} bytes at ${offset} do not fit into a part of a result of ${size}`,
  )
}
