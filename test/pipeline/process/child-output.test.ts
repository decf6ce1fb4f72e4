import { expect, test } from 'bun:test'
import { readLines, Tail } from '../../../src/pipeline/process/child-output.ts'

async function linesOf(chunks: string[]): Promise<string[]> {
  const lines: string[] = []
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk))
  await readLines(new Blob(bytes).stream(), (line) => lines.push(line))
  return lines
}

test('lines end in LF, CR or CRLF, and the last one needs no end', async () => {
  expect(await linesOf(['a\nb\r\nc\rd'])).toEqual(['a', 'b', 'c', 'd'])
})

test('a character that is split between chunks arrives whole', async () => {
  const bytes = new TextEncoder().encode('ü\n')
  const lines: string[] = []
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte))
      controller.close()
    },
  })
  await readLines(stream, (line) => lines.push(line))
  expect(lines).toEqual(['ü'])
})

test('a line without end is handed on in pieces, so that memory stays bounded', async () => {
  const lines = await linesOf(['x'.repeat(100_000)])
  expect(lines.join('')).toBe('x'.repeat(100_000))
})

test('a tail that was not cut is kept from its first byte', () => {
  const tail = new Tail(100)
  tail.push(Buffer.from('no newline yet'))
  expect(tail.text()).toBe('no newline yet')
})

test('a tail in one long line without end is kept as far as it goes', () => {
  const tail = new Tail(10)
  for (let i = 0; i < 100; i++) tail.push(Buffer.from(`${i % 10}`))
  expect(tail.text()).toBe('0123456789')
})
