import { runProcess } from '../process.ts'
import type { Tools } from '../tools.ts'
import { parseEncoders, parseFilters } from './parse-names.ts'

/** Which ffmpeg to ask. */
export interface AskRequest {
  tools: Pick<Tools, 'ffmpeg_path' | 'version'>
  environment: Record<string, string | undefined>
  signal: AbortSignal
}

const timeoutMs = 20_000
/** By list, path and version: a program that was replaced is asked anew. */
const asked = new Map<string, ReadonlySet<string>>()

/** Decoders are listed as encoders are. */
const parsers = { filters: parseFilters, decoders: parseEncoders }

/** The names of the filters or decoders that an ffmpeg has; asked once, when first wanted. Empty when it does not tell. */
export async function namesIn(list: keyof typeof parsers, request: AskRequest): Promise<ReadonlySet<string>> {
  const { tools, environment, signal } = request
  const key = `${list} ${tools.ffmpeg_path} ${tools.version}`
  const known = asked.get(key)
  if (known !== undefined) return known
  const argv = [tools.ffmpeg_path, '-hide_banner', `-${list}`]
  const { stdout } = await runProcess({ argv, environment, signal, timeout_ms: timeoutMs })
  signal.throwIfAborted()
  const names = parsers[list](stdout)
  if (names.size > 0) asked.set(key, names)
  return names
}
