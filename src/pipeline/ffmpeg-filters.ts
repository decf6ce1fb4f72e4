import { ConversionError } from '../contract/failure.ts'
import { parseFilters } from './prove/ffmpeg-lists.ts'
import { runProcess } from './process.ts'
import type { Tools } from './tools.ts'

/** Which ffmpeg to ask. */
export interface FiltersRequest {
  tools: Pick<Tools, 'ffmpeg_path' | 'version'>
  environment: Record<string, string | undefined>
  signal: AbortSignal
}

const timeoutMs = 20_000
/** By path and version: a program that was replaced is asked anew. */
const asked = new Map<string, ReadonlySet<string>>()

/** The names of the filters that an ffmpeg has; asked once, when it is first wanted. Empty when it does not tell. */
export async function ffmpegFilters({ tools, ...run }: FiltersRequest): Promise<ReadonlySet<string>> {
  const key = `${tools.ffmpeg_path} ${tools.version}`
  const known = asked.get(key)
  if (known !== undefined) return known
  const argv = [tools.ffmpeg_path, '-hide_banner', '-filters']
  const { stdout } = await runProcess({ ...run, argv, timeout_ms: timeoutMs })
  run.signal.throwIfAborted()
  const filters = parseFilters(stdout)
  if (filters.size > 0) asked.set(key, filters)
  return filters
}

/** Throws `ConversionError` (step plan, class worker) when an ffmpeg cannot tone-map HDR on the CPU. */
export async function requireToneMapping(request: FiltersRequest): Promise<void> {
  const filters = await ffmpegFilters(request)
  const missing = ['zscale', 'tonemap'].find((name) => !filters.has(name))
  if (missing === undefined) return
  throw new ConversionError(
    `HDR cannot be made SDR: this ffmpeg (${request.tools.version}) has no ${missing}; install one with libzimg, or convert to hevc or av1, which keep HDR`,
    { class: 'worker', step: 'plan' },
  )
}
