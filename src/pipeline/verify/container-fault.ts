import { open } from 'node:fs/promises'
import type { Container } from '../../contract/conversion.ts'
import { matroskaFault } from './matroska-fault.ts'
import { mp4Fault } from './mp4-fault.ts'
import type { ContainerFault } from './read-at.ts'

/**
 * What is wrong with a result as a file, by its container's own structure, which ffprobe reads over: a cut tail, a hole,
 * bytes behind the end. Matroska's checksums find every changed byte. Rejects with the signal's reason, or the system's
 * error when it cannot be read.
 */
export async function containerFault(path: string, container: Container, signal: AbortSignal): Promise<ContainerFault> {
  const handle = await open(path, 'r')
  try {
    const { size } = await handle.stat()
    const read = async (position: number, length: number) => {
      signal.throwIfAborted()
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(length), 0, length, position)
      return buffer.subarray(0, bytesRead)
    }
    const isMatroska = container === 'mkv' || container === 'webm'
    return await (isMatroska ? matroskaFault(container, read, size) : mp4Fault(read, size))
  } finally {
    await handle.close()
  }
}
