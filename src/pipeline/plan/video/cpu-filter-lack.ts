import { ConversionError } from '../../../contract/failure.ts'
import { type AskRequest, namesIn } from '../../ffmpeg/ask-ffmpeg.ts'
import type { ColourPlan } from './colour.ts'

/** Why the CPU's filters cannot do what a picture's colour needs, of class worker; null when they can. */
export async function cpuFilterLack(colour: ColourPlan, request: AskRequest): Promise<ConversionError | null> {
  const isToneMapped = colour.tone_map !== null
  if (!isToneMapped && colour.matrix_by !== 'zscale') return null
  const filters = await namesIn('filters', request)
  const missing = (isToneMapped ? ['zscale', 'tonemap'] : ['zscale']).find((name) => !filters.has(name))
  if (missing === undefined) return null
  const what = isToneMapped ? 'HDR cannot be made SDR' : `the colour matrix ${colour.source.matrix} cannot be converted`
  const other = isToneMapped ? ', or convert to hevc or av1, which keep HDR' : ''
  return new ConversionError(
    `${what}: this ffmpeg (${request.tools.version}) has no ${missing}; set ffmpeg.path to one with libzimg${other}`,
    { class: 'worker', step: 'plan' },
  )
}
