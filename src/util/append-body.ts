import { writeSync } from 'node:fs'

/**
 * Of a body that Bun may hold whole before it is asked for, which is up to 1.5 MiB: such a one it does not append (1.4.5
 * extends the file by the body's length first).
 */
const mostHeldBytes = 4 * 1024 * 1024

/**
 * Appends the body of an HTTP message to a file that was opened for that; gives its bytes. What had come when it rejects is
 * in the file: with the connection's error, or the disk's, which says that it was a `write`.
 *
 * @param length bytes that the body should have
 */
export async function appendBody(file: number, body: ReadableStream<Uint8Array>, length: number): Promise<number> {
  // Between socket and disk no byte passes through this thread's heap.
  if (length > mostHeldBytes) return Bun.write(Bun.file(file), new Response(body))
  let appended = 0
  for await (const piece of body) {
    for (let written = 0; written < piece.length;) written += writeSync(file, piece, written)
    appended += piece.length
  }
  return appended
}

/** Whether a disk's error ended `appendBody`, and not the connection's. */
export function isWriteError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error && error.syscall === 'write'
}
