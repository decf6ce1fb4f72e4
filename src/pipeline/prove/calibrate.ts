import { devNull } from 'node:os'
import * as v from 'valibot'
import type { ConversionSettings } from '../../contract/conversion.ts'
import { ConversionError } from '../../contract/failure.ts'
import { type Gpu, PathFigure } from '../../contract/gpu.ts'
import { ffmpegArgs } from '../encode/ffmpeg-args.ts'
import { planConversion } from '../plan.ts'
import { type PathCandidate, videoPaths } from '../plan/video/paths.ts'
import { planPicture } from '../plan/video/picture.ts'
import { mainVideo } from '../probe/main-video.ts'
import type { Tools } from '../tools.ts'
import { type CalibrationClip, makeCalibrationClip } from './calibration-clip.ts'
import { type Measurement, measure } from './measure.ts'
import { type CacheKey, machineKey, readCached, writeCached } from './proof-cache.ts'
import type { SourceKind } from './source-kind.ts'
import { inTemporaryFolder } from './temporary-folder.ts'

/** What is to be measured. */
export interface CalibrationRequest {
  tools: Tools
  gpus: readonly Gpu[]
  settings: ConversionSettings
  source: SourceKind
  /** Conversions that run side by side. */
  concurrency: number
  environment: Record<string, string | undefined>
  signal: AbortSignal
  /** Where figures are kept; it is made when it is not there. */
  cache_folder: string
  /** Where the clip lies; in the system's folder for such unless told. */
  temporary_folder?: string
  /** Measures again what was measured before; false unless told. */
  fresh?: boolean
  /** Milliseconds that each path is looked at, 2500 unless told, and that one may take at most, 10,000 unless told. */
  window_ms?: number
  cap_ms?: number
}

const defaultWindowMs = 2500
const defaultCapMs = 10_000

/**
 * Measures each path that this machine has for one kind of source, by conversions of a clip of that kind as a job would
 * run them. A path that fails has no figure but a reason; then nothing is kept, since it may be the moment's fault. Rejects
 * when the signal aborts, or no clip can be made.
 */
export async function calibrate(request: CalibrationRequest): Promise<PathFigure[]> {
  request.signal.throwIfAborted()
  const known = request.fresh === true ? undefined : await knownFigures(request)
  if (known) return known
  const place = { base: request.temporary_folder, prefix: 'darkstream-calibrate-' }
  const figures = await inTemporaryFolder(place, (folder) => measurePaths(request, folder))
  if (figures.every(({ fps }) => fps !== null)) {
    await writeCached(request.cache_folder, 'figures', await figuresKey(request), figures)
  }
  return figures
}

async function measurePaths(request: CalibrationRequest, folder: string): Promise<PathFigure[]> {
  const { source, settings, gpus, concurrency } = request
  const clip = await makeCalibrationClip({ ...request, folder }, source)
  if (typeof clip === 'string') throw new ConversionError(clip, { class: 'worker', step: 'plan' })
  // What was made as h264 for want of an encoder is decoded as the real source would be.
  const picture = planPicture({ ...mainVideo(clip.info), codec: source.codec }, settings)
  const figures: PathFigure[] = []
  for (const path of videoPaths(picture, gpus).candidates) {
    const processes = processesOf(path, concurrency)
    figures.push(figureOf(request, path, processes, await measurePath(request, folder, clip, path, processes)))
  }
  return figures
}

/** What was measured before, by this build of FFmpeg and with these GPUs and settings; undefined when nothing was. */
export async function knownFigures(
  request: Omit<CalibrationRequest, 'environment' | 'signal'>,
): Promise<PathFigure[] | undefined> {
  return readCached(request.cache_folder, 'figures', await figuresKey(request), v.array(PathFigure))
}

/** A device that decodes one at a time gets no second one to decode. */
function processesOf({ decode, gpu }: PathCandidate, concurrency: number): number {
  const slots = decode === 'vulkan' ? (gpu?.decode_slots ?? 1) : concurrency
  return Math.max(1, Math.min(concurrency, slots))
}

async function measurePath(
  request: CalibrationRequest,
  folder: string,
  { info, path: input }: CalibrationClip,
  path: PathCandidate,
  processes: number,
): Promise<Measurement> {
  const { settings, window_ms = defaultWindowMs, cap_ms = defaultCapMs } = request
  try {
    // What is written is thrown away: lossless pictures would fill the disk.
    const argv = ffmpegArgs(planConversion(info, settings, path), input, devNull)
    const args = argv.flatMap((argument) => (argument === '-i' ? ['-stream_loop', '-1', argument] : [argument]))
    return await measure({ ...request, folder }, { args, processes, window_ms, cap_ms })
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    return { fps: null, cpu_ms_per_frame: null, start_ms: null, reason: error.message }
  }
}

function figureOf(
  { source, settings }: CalibrationRequest,
  { decode, filter, encoder, device, gpu }: PathCandidate,
  processes: number,
  measured: Measurement,
): PathFigure {
  return {
    decode,
    filter,
    encoder,
    device,
    gpu_id: gpu?.id ?? null,
    source_codec: source.codec,
    bit_depth: source.bit_depth,
    size_class: source.size_class,
    ...(source.is_tone_mapped && { is_tone_mapped: true as const }),
    codec: settings.codec,
    processes,
    ...measured,
  }
}

async function figuresKey({
  tools,
  gpus,
  source,
  settings,
  concurrency,
}: Omit<CalibrationRequest, 'environment' | 'signal'>): Promise<CacheKey> {
  const { codec, preset, target_resolution: box } = settings
  return { ...(await machineKey(tools)), gpus, source, codec, preset, box, concurrency }
}
