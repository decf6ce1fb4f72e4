import type { ContainerFault, ReadAt } from './read-at.ts'

/** What FFmpeg writes at the top of an mp4 or mov. Anything else there is no box of its making. */
const known = new Set(['ftyp', 'moov', 'mdat', 'free', 'wide'])
/** A name and 64 bits of size. */
const longHeader = 16

/**
 * Whether the boxes of an mp4 or mov (ISO 14496-12, 4.2) fill the file from its first byte to its last, the index in front
 * of what it tells of. `size` in bytes is the file's.
 */
export async function mp4Fault(read: ReadAt, size: number): Promise<ContainerFault> {
  const names: string[] = []
  for (let position = 0; position < size;) {
    const box = boxOf(await read(position, longHeader))
    if (box === undefined || !known.has(box.name)) return `byte ${position} begins no box`
    const end = position + box.size
    if (end > size) return `it is cut off: its ${box.name} box wants ${end - size} bytes more`
    names.push(box.name)
    position = end
  }
  for (const name of ['ftyp', 'moov', 'mdat']) {
    if (names.filter((each) => each === name).length !== 1) return `it has no single ${name} box`
  }
  if (names.indexOf('moov') > names.indexOf('mdat')) return 'its index is not in front'
  return null
}

/** Undefined for what is no header: too short, or a box smaller than that. */
function boxOf(bytes: Uint8Array): { name: string; size: number } | undefined {
  if (bytes.length < 8) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const name = String.fromCharCode(...bytes.subarray(4, 8))
  const short = view.getUint32(0)
  if (short !== 1) return short < 8 ? undefined : { name, size: short }
  if (bytes.length < longHeader) return undefined
  const long = Number(view.getBigUint64(8))
  return long < longHeader ? undefined : { name, size: long }
}
