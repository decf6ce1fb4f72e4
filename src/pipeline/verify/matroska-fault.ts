import { crc32 } from 'node:zlib'
import type { ContainerFault, ReadAt } from './read-at.ts'

/** RFC 8794 and 9559. */
const ids = { header: 0x1a45dfa3, segment: 0x18538067, checksum: 0xbf, padding: 0xec }
const inSegment = new Map([
  [0x114d9b74, 'list of parts'],
  [0x1549a966, 'description'],
  [0x1654ae6b, 'list of tracks'],
  [0x1f43b675, 'media'],
  [0x1c53bb6b, 'index'],
  [0x1043a770, 'list of chapters'],
  [0x1941a469, 'attachments'],
  [0x1254c367, 'tags'],
  [ids.padding, 'padding'],
])
const chunkBytes = 1024 * 1024

/**
 * Whether the elements of a Matroska or WebM file fill it from its first byte to its last, and each has the checksum that
 * its muxer gave it. FFmpeg gives one to all but the padding in mkv, and none in webm. `size` in bytes is the file's.
 */
export async function matroskaFault(container: 'mkv' | 'webm', read: ReadAt, size: number): Promise<ContainerFault> {
  const header = await elementAt(read, 0)
  if (header?.id !== ids.header) return 'its header is damaged'
  const segment = await elementAt(read, header.end)
  if (segment?.id !== ids.segment) return 'its header is damaged'
  if (segment.end > size) return `it is cut off: it wants ${segment.end - size} bytes more`
  if (segment.end < size) return `${size - segment.end} bytes follow its end`
  for (let position = segment.start; position < size;) {
    const element = await elementAt(read, position)
    const name = element && inSegment.get(element.id)
    if (element === undefined || name === undefined) return `byte ${position} begins no element`
    if (element.end > size) return `its ${name} at byte ${position} is cut off`
    const hasChecksum = container === 'mkv' && element.id !== ids.padding
    if (hasChecksum && !(await matchesChecksum(read, element)))
      return `its ${name} at byte ${position} does not match its checksum`
    position = element.end
  }
  return null
}

interface Element {
  id: number
  /** Where its content begins and ends. */
  start: number
  end: number
}

/** Undefined for what is no element, or one whose size was never filled in. */
async function elementAt(read: ReadAt, position: number): Promise<Element | undefined> {
  const bytes = await read(position, 12)
  const idLength = lengthOf(bytes[0])
  const sizeLength = lengthOf(bytes[idLength])
  if (idLength > 4 || sizeLength > 8 || bytes.length < idLength + sizeLength) return undefined
  const id = numberOf(bytes.subarray(0, idLength))
  const sizeBytes = bytes.slice(idLength, idLength + sizeLength)
  // The bit that tells the length is no part of the number; with it, eight bytes are more than a number here can hold.
  sizeBytes[0] = (sizeBytes[0] ?? 0) & (0xff >> sizeLength)
  const size = numberOf(sizeBytes)
  if (size >= 2 ** (7 * sizeLength) - 1) return undefined
  const start = position + idLength + sizeLength
  return { id, start, end: start + size }
}

/** Bytes of a variable-length number by its first: as many as the place of its highest bit; 9 for none. */
function lengthOf(first: number | undefined): number {
  return Math.clz32(first ?? 0) - 23
}

function numberOf(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0)
}

/** Whether an element's first child is the checksum of all that follows it. */
async function matchesChecksum(read: ReadAt, { start, end }: Element): Promise<boolean> {
  const head = await read(start, 6)
  if (end - start < 6 || head[0] !== ids.checksum || head[1] !== 0x84) return false
  let checksum = 0
  for (let position = start + 6; position < end;) {
    const bytes = await read(position, Math.min(chunkBytes, end - position))
    if (bytes.length === 0) return false
    checksum = crc32(bytes, checksum)
    position += bytes.length
  }
  return checksum === new DataView(head.buffer, head.byteOffset).getUint32(2, true)
}
