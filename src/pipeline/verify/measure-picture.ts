import type { PictureMetric, PictureScore, VerifySettings } from '../../contract/conversion.ts'
import { ConversionError, type FailureClass } from '../../contract/failure.ts'
import { EncodeError } from '../encode-error.ts'
import { type AskRequest, namesIn } from '../ffmpeg/ask-ffmpeg.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import { videoFilters } from '../plan/video/filters.ts'
import { cpuPath } from '../plan/video/paths.ts'
import type { Picture } from '../plan/video/picture.ts'
import { type CheckRequest, type CheckRun, runCheck } from './decode.ts'
import { metricFilters, parseScore } from './picture-score.ts'

/** What to measure a result against. */
export interface MeasureRequest extends CheckRequest {
  metric: NonNullable<VerifySettings['metric']>
  /** The source, by a staged name, and what its picture was to become. */
  source_path: string
  picture: Picture
  /** Frames of the result; null when not known. */
  frame_count: number | null
  on_percent: (percent: number) => void
}

/** Threads of each of the two decoders: the next encode runs beside them. */
const threads = 4

/** Throws `ConversionError` (step plan, class worker) when an ffmpeg lacks the filter of a metric. */
export async function requireMetric(metric: VerifySettings['metric'], request: AskRequest): Promise<void> {
  if (metric === null) return
  const { filter, remedy } = metricFilters[metric.name]
  if ((await namesIn('filters', request)).has(filter)) return
  throw new ConversionError(
    `conversion.verify asks for ${metric.name}, and this ffmpeg (${request.tools.version}) has no filter ${filter}: ${remedy}`,
    { class: 'worker', step: 'plan' },
  )
}

/**
 * Measures the whole of a result's picture against its source's after the CPU's filters, so that the encoder's loss alone
 * counts; frames are paired by their number. Throws `ConversionError` (step verify) when the score is below the minimum, or
 * cannot be had; and as `runCheck` does.
 */
export async function measurePicture(request: MeasureRequest): Promise<PictureScore> {
  const { metric, frame_count: frameCount } = request
  const scores: number[] = []
  const run = await runCheck(
    request,
    measureArgs(request),
    ({ frame }) => {
      if (frame !== null && frameCount !== null) request.on_percent(Math.min(100, (100 * frame) / frameCount))
    },
    (line) => {
      const score = parseScore(metric.name, line)
      if (score !== undefined) scores.push(score)
    },
  )
  const [score] = scores
  // Filters that begin anew count anew.
  if (scores.length > 1) throw notMeasured(request, run, 'permanent', 'its source changes in mid-film')
  if (score === undefined || run.frames !== frameCount) {
    throw notMeasured(request, run, 'retryable', `${run.frames} frames were compared, not ${frameCount}`)
  }
  if (score < metric.minimum) throw tooLow(metric, score)
  return { metric: metric.name, value: floored(score) }
}

/** ffmpeg's argv without the program. The result is the first input, the source the second, as vmaf and xpsnr want them. */
export function measureArgs({
  path,
  source_path,
  picture,
  metric,
}: Omit<MeasureRequest, keyof CheckRequest> & { path: string }) {
  const { filter } = metricFilters[metric.name]
  const range = picture.colour.result.range === 'pc' ? 'pc' : 'tv'
  const result = [`scale=in_range=${range}:out_range=${range}`, 'setsar=1', `format=${picture.format}`]
  const source = videoFilters(picture, cpuPath(picture))
  const graph = [
    `[0:V:0]${[...result, ...paired(range)].join(',')}[result]`,
    `[1:${picture.source.index}]${[...source, ...paired(range)].join(',')}[source]`,
    `[result][source]${filter}[score]`,
  ]
  return [
    [path, source_path].flatMap((file) => ['-threads', String(threads), ...inputLimits, '-i', fileUrl(file)]),
    ['-filter_complex_threads', '2', '-filter_complex', graph.join(';'), '-map', '[score]'],
    ['-fps_mode:v', 'passthrough', '-f', 'null', '-'],
  ].flat()
}

/** The same times and the same tags on both sides: what differs there would be converted for, and count as a loss. */
function paired(range: 'pc' | 'tv'): string[] {
  const tags = `range=${range}:color_primaries=bt709:color_trc=bt709:colorspace=bt709`
  return [`setparams=${tags}`, 'settb=1/1000', 'setpts=N']
}

function notMeasured({ metric }: MeasureRequest, run: CheckRun, failureClass: FailureClass, why: string) {
  return new ConversionError(`the picture's ${metric.name} cannot be measured: ${why}`, {
    class: failureClass,
    step: 'verify',
    stderr_tail: run.stderr_tail,
  })
}

/** The CPU may do better than a GPU, which is not to blame for it; the same settings on the same encoder would not. */
function tooLow({ name, minimum }: { name: PictureMetric; minimum: number }, score: number): EncodeError {
  const message = `its picture reaches ${name} ${floored(score)} of the ${minimum} asked for: raise conversion.bitrate or conversion.quality`
  const report = { command: [], stderr_tail: '', exit_code: null }
  return new EncodeError('unsupported', message, { class: 'permanent', step: 'verify', ...report })
}

/** To four places, and never up to a minimum that was missed. */
function floored(score: number): number {
  return Math.floor(score * 10_000) / 10_000
}
