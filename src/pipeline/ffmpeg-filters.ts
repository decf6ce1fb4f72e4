import { ConversionError } from '../contract/failure.ts'
import type { ColourPlan } from './colour-plan.ts'
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

/** Why the CPU's filters cannot do what a picture's colour needs, of class worker; null when they can. */
export async function cpuFilterLack(colour: ColourPlan, request: FiltersRequest): Promise<ConversionError | null> {
  const isToneMapped = colour.tone_map !== null
  if (!isToneMapped && colour.matrix_by !== 'zscale') return null
  const filters = await ffmpegFilters(request)
  const missing = (isToneMapped ? ['zscale', 'tonemap'] : ['zscale']).find((name) => !filters.has(name))
  if (missing === undefined) return null
  const what = isToneMapped ? 'HDR cannot be made SDR' : `the colour matrix ${colour.source.matrix} cannot be converted`
  const other = isToneMapped ? ', or convert to hevc or av1, which keep HDR' : ''
  return new ConversionError(
    `${what}: this ffmpeg (${request.tools.version}) has no ${missing}; set ffmpeg.path to one with libzimg${other}`,
    { class: 'worker', step: 'plan' },
  )
}
