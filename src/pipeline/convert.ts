import { stat } from 'node:fs/promises'
import type { ConversionRecord } from '../contract/conversion-record.ts'
import type { PictureScore } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import type { RanOn } from '../contract/gpu.ts'
import type { Progress } from '../contract/job.ts'
import type { ProfileChoice } from './apply-profile.ts'
import { EncodeError } from './encode-error.ts'
import { encodePlan } from './encode-plan.ts'
import { lostNote, withoutLost } from './encode/lost-pictures.ts'
import type { GpuAccess } from './gpu-access.ts'
import { onBestPath } from './on-best-path.ts'
import { planConversion } from './plan.ts'
import type { PathCandidate } from './plan/video/paths.ts'
import type { Picture } from './plan/video/picture.ts'
import { prepare } from './prepare.ts'
import type { MediaInfo } from './probe/media-info.ts'
import { SkippedError } from './skipped-error.ts'
import { openStaging, openWork, removeStaging, removeWork, syncStaging } from './staging.ts'
import type { Tools } from './tools.ts'
import { type VerifyRequest, verifyResult } from './verify.ts'

/** One conversion. The source is only read. */
export interface ConvertRequest extends ProfileChoice {
  /** Where the source lies on this host; at `source_path` unless told. */
  read_path?: string
  /** Where the checked result goes, in a folder of this attempt alone. */
  staging_path: string
  /** A folder for this conversion alone: made here, and removed with all that is in it however the conversion ends. */
  work_path: string
  tools: Tools
  limits: ConversionLimits
  gpus: GpuAccess
  /** The whole environment of every child; the worker's mark is in it. */
  child_environment: Record<string, string | undefined>
  /** Called as often as ffmpeg reports, twice a second; the caller thins it out. */
  on_progress: (progress: Progress) => void
  /** Ends the conversion: every child is killed, nothing is left behind, and the signal's reason is thrown. */
  signal: AbortSignal
}

/** Milliseconds. */
export interface ConversionLimits {
  /** For the encode, and again for reading the result. */
  encode_timeout_ms: number
  probe_timeout_ms: number
  /** For an encode that shows no sign of life. */
  stall_timeout_ms: number
}

/** A result that was checked and is on the disk. */
export interface ConvertResult extends ConversionRecord {
  /** Bytes. */
  output_size: number
  /** Seconds; null when the source does not tell. */
  source_duration: number | null
  /** What was dropped or changed by rule, a sentence each. */
  notes: string[]
  ran_on: RanOn
  /** Null when nothing was measured. */
  score: PictureScore | null
}

/**
 * Milliseconds without a sign of life after which a path on a GPU is given up. Drivers hang, and another path is at hand;
 * what is slow on the CPU has no other and gets `stall_timeout_ms`.
 */
const gpuStallMs = 120_000

/**
 * Converts one file: probe, plan, encode, verify, flush to disk; on the best path that there is for it, and on the next
 * when a GPU fails. Throws `ConversionError` with a sentence for whatever the file, the disk or ffmpeg does, `SkippedError`
 * with its record when the source is not to be converted or the result would be too large, `PostponedError` when others
 * go first, or the signal's reason; then no staging file is left.
 */
export async function convert(request: ConvertRequest): Promise<ConvertResult> {
  const { staging_path: stagingPath, work_path: workPath } = request
  request.signal.throwIfAborted()
  try {
    return await convertStaged(request, await openWork(workPath, request.read_path ?? request.source_path))
  } catch (error) {
    await removeStaging(stagingPath)
    throw error
  } finally {
    await removeWork(workPath)
  }
}

async function convertStaged(given: ConvertRequest, inputPath: string): Promise<ConvertResult> {
  given.on_progress(stepProgress('probe', null))
  const { probe_timeout_ms } = given.limits
  const { info, picture, record, cpu_filter_lack } = await prepare({ ...given, probe_timeout_ms }, inputPath)
  const request = { ...given, settings: record.settings }
  const { settings, signal, staging_path: stagingPath } = request
  request.on_progress(stepProgress('plan', null))
  const { value, ran_on } = await onBestPath(
    { picture, settings, access: request.gpus, cpu_filter_lack },
    signal,
    (path, onEncoded) => convertOn(path, { request, info, picture, inputPath, onEncoded }),
  ).catch((error: unknown) => {
    if (error instanceof SkippedError) error.record = record
    throw error
  })
  await syncStaging(stagingPath)
  signal.throwIfAborted()
  const { size } = await stat(stagingPath)
  return { output_size: size, source_duration: info.duration_seconds, ran_on, ...value, ...record }
}

/** A conversion whose source is known. */
interface Conversion {
  request: ConvertRequest
  info: MediaInfo
  picture: Picture
  inputPath: string
  onEncoded: () => void
}

/** Encodes on one path and checks what came of it. */
async function convertOn(
  path: PathCandidate,
  { request, info, picture, inputPath, onEncoded }: Conversion,
): Promise<Pick<ConvertResult, 'notes' | 'score'>> {
  const { tools, settings, limits, signal, staging_path: stagingPath } = request
  const plan = planConversion(info, settings, path)
  const runsOn = { decode: path.decode, filter: path.filter, encoder: path.encoder, device: path.device }
  await openStaging(stagingPath)
  request.on_progress({ ...stepProgress('encode', null), runs_on: runsOn })
  const { command, ...encoded } = await encodePlan({
    plan,
    info,
    runs_on: runsOn,
    ffmpeg_path: tools.ffmpeg_path,
    paths: { input: inputPath, output: stagingPath, work_folder: request.work_path },
    max_size_ratio: settings.max_size_ratio,
    environment: request.child_environment,
    timeout_ms: limits.encode_timeout_ms,
    stall_timeout_ms: path.gpu === null ? limits.stall_timeout_ms : Math.min(limits.stall_timeout_ms, gpuStallMs),
    on_progress: request.on_progress,
    signal,
  })
  onEncoded()
  request.on_progress({ ...stepProgress('verify', 0), runs_on: runsOn })
  const checking: VerifyRequest = {
    ...lookOf(request),
    path: stagingPath,
    source_path: inputPath,
    picture,
    timeout_ms: limits.encode_timeout_ms,
    stall_timeout_ms: limits.stall_timeout_ms,
    container: plan.container,
    settings: request.settings.verify,
    seed: request.source_path,
    copied_codecs: plan.audio.filter((track) => track.encoder === 'copy').map((track) => track.codec),
    on_percent: (percent) => request.on_progress({ ...stepProgress('verify', percent), runs_on: runsOn }),
  }
  const lost = encoded.lost_pictures
  const score = await verifyResult(checking, withoutLost(plan.expected, lost, plan.video.frame_rate), encoded).catch(
    (error: unknown) => {
      throw withCommand(error, command)
    },
  )
  return { notes: lost === 0 ? plan.notes : [...plan.notes, lostNote(lost)], score }
}

function lookOf({ tools, child_environment: environment, signal }: ConvertRequest) {
  return { tools, environment, signal }
}

/** What a result fails by says more with the command that made it. */
function withCommand(error: unknown, command: string[]): unknown {
  if (!(error instanceof ConversionError) || error.report.command.length > 0) return error
  const report = { ...error.report, command }
  return error instanceof EncodeError
    ? new EncodeError(error.kind, error.message, report)
    : new ConversionError(error.message, report)
}

function stepProgress(step: Progress['step'], percent: number | null): Progress {
  return { step, percent, fps: null, speed: null, eta_seconds: null, runs_on: null }
}
