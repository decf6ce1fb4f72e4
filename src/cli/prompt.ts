import { createInterface } from 'node:readline'
import { UsageError } from './usage.ts'

/** Asks a question and gives the line that answers it, without the blanks around it. */
export type Prompt = (question: string) => Promise<string>

/**
 * Lets questions be asked on standard input and output, and closes that when they are done. Ctrl-C ends the program, saying
 * that nothing is written.
 *
 * @throws UsageError when the input ends before the questions do
 */
export async function withPrompt<T>(ask: (prompt: Prompt) => Promise<T>): Promise<T> {
  const input = createInterface({ input: process.stdin })
  const lines = input[Symbol.asyncIterator]()
  process.once('SIGINT', endInterrupted)
  try {
    return await ask(async (question) => {
      process.stdout.write(question)
      const { value, done } = await lines.next()
      if (!done) return value.trim()
      process.stdout.write('\n')
      throw new UsageError('the answers ended before the questions did, nothing is written: --yes asks none')
    })
  } finally {
    process.off('SIGINT', endInterrupted)
    input.close()
  }
}

function endInterrupted(): void {
  process.stdout.write('\nnothing is written\n', () => process.exit(130))
}
