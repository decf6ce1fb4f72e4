import { DarkstreamError } from '../contract/error.ts'
import type { Reply } from '../contract/routes.ts'
import { printable } from '../util/format.ts'

/** Does one thing to each of the named jobs, or workers, and tells how it went; exit code 1 when any was refused. */
export async function actOnEach(
  ids: readonly string[],
  act: (id: string) => Promise<Reply<'cancelJob'>>,
): Promise<number> {
  let code = 0
  for (const id of ids) {
    try {
      const { status, message } = await act(id)
      process.stdout.write(`${printable(message ?? status)}\n`)
    } catch (error) {
      if (!(error instanceof DarkstreamError) || error.code === 'unreachable') throw error
      process.stderr.write(`darkstream: ${printable(error.message)}\n`)
      code = 1
    }
  }
  return code
}
