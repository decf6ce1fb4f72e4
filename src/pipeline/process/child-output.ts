/** Longest line that is kept whole, in UTF-16 units; a longer one is handed on in pieces. */
const maxLineLength = 4096

/**
 * Hands a stream on line by line, to its end. Lines end in LF, CR or CRLF, since ffmpeg redraws its status with CR.
 * A tail, when given, gets every byte as well.
 */
export async function readLines(
  stream: ReadableStream<Uint8Array>,
  onLine: (line: string) => void,
  tail?: Tail,
): Promise<undefined> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of stream) {
    tail?.push(chunk)
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\r|\n/)
    rest = lines.pop() ?? ''
    if (rest.length > maxLineLength) {
      lines.push(rest)
      rest = ''
    }
    for (const line of lines) onLine(line)
  }
  if (rest !== '') onLine(rest)
}

/** All of a stream as text, at most `limit` bytes of it; says once when there is more. */
export async function collectText(
  stream: ReadableStream<Uint8Array>,
  limit: number,
  onOverflow: () => void,
): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of stream) {
    size += chunk.length
    if (size <= limit) chunks.push(chunk)
    else onOverflow()
  }
  return new TextDecoder().decode(Buffer.concat(chunks))
}

/** The last bytes of a stream, in bounded memory. */
export class Tail {
  #chunks: Uint8Array[] = []
  #size = 0
  #isCut = false
  readonly #limit: number

  /** Keeps the last `limit` bytes. */
  constructor(limit: number) {
    this.#limit = limit
  }

  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk)
    this.#size += chunk.length
    this.#isCut ||= this.#size > this.#limit
    if (this.#size <= 4 * this.#limit) return
    this.#chunks = [Buffer.from(this.#lastBytes())]
    this.#size = this.#limit
  }

  /** What is kept; a first line that lost its beginning is left out. */
  text(): string {
    const text = new TextDecoder().decode(this.#lastBytes())
    return this.#isCut ? text.slice(text.indexOf('\n') + 1) : text
  }

  #lastBytes(): Uint8Array {
    return Buffer.concat(this.#chunks).subarray(-this.#limit)
  }
}
