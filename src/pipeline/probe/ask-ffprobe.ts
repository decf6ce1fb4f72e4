import * as v from 'valibot'
import { runProcess } from '../process.ts'
import { probeArgs, type ProbeRequest } from './ffprobe.ts'

/** What to ask beyond what every file is asked. */
export interface Question<Answer> {
  /** ffprobe's options, before the input. */
  options: readonly string[]
  schema: v.GenericSchema<unknown, Answer>
  max_bytes: number
}

/**
 * Asks ffprobe for more of a file that it has read before; undefined where no such answer comes, as after a time limit.
 * Rejects when the signal aborts.
 */
export async function askFfprobe<Answer>(
  request: ProbeRequest,
  { options, schema, max_bytes }: Question<Answer>,
): Promise<Answer | undefined> {
  const argv = [request.tools.ffprobe_path, ...probeArgs(request.path, options)]
  const result = await runProcess({ ...request, argv, max_stdout_bytes: max_bytes })
  if (result.killed_for === 'abort') throw request.signal.reason
  try {
    return v.parse(schema, JSON.parse(result.stdout))
  } catch {
    return undefined
  }
}
