import { stat } from 'node:fs/promises'
import type { ConversionSettings } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import type { Progress } from '../contract/job.ts'
import { encode } from './ffmpeg.ts'
import { ffmpegArgs } from './ffmpeg-args.ts'
import { planConversion } from './plan.ts'
import { probeSource } from './probe.ts'
import { jobProgress } from './progress.ts'
import { openStaging, openWork, removeStaging, removeWork, syncStaging } from './staging.ts'
import type { Tools } from './tools.ts'
import { verifyResult } from './verify.ts'

/** One conversion. */
export interface ConvertRequest {
  /** The file to convert; it is only read. */
  source_path: string
  /** Where the checked result goes, in a folder of this attempt alone. */
  staging_path: string
  /** A folder for this conversion alone: made here, and removed with all that is in it however the conversion ends. */
  work_path: string
  settings: ConversionSettings
  tools: Tools
  limits: ConversionLimits
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
export interface ConvertResult {
  /** Bytes. */
  output_size: number
  /** Seconds; null when the source does not tell. */
  source_duration: number | null
  /** What was dropped or changed by rule, a sentence each. */
  notes: string[]
}

/**
 * Converts one file: probe, plan, encode, verify, flush to disk. Throws `ConversionError` with a sentence for whatever
 * the file, the disk or ffmpeg does, or the signal's reason; then no staging file is left.
 */
export async function convert(request: ConvertRequest): Promise<ConvertResult> {
  const { source_path: sourcePath, staging_path: stagingPath, work_path: workPath } = request
  request.signal.throwIfAborted()
  try {
    return await convertStaged(request, await openWork(workPath, sourcePath))
  } catch (error) {
    await removeStaging(stagingPath)
    throw error
  } finally {
    await removeWork(workPath)
  }
}

async function convertStaged(request: ConvertRequest, inputPath: string): Promise<ConvertResult> {
  const { tools, limits, signal, staging_path: stagingPath } = request
  const look = { tools, environment: request.child_environment, signal }
  request.on_progress(stepProgress('probe', null))
  const info = await probeSource({
    ...look,
    path: inputPath,
    source_path: request.source_path,
    timeout_ms: limits.probe_timeout_ms,
  })
  const plan = planConversion(info, request.settings)
  const command = [tools.ffmpeg_path, ...ffmpegArgs(plan, inputPath, stagingPath)]
  await openStaging(stagingPath)
  const last = await encode({
    command,
    output_path: stagingPath,
    environment: request.child_environment,
    timeout_ms: limits.encode_timeout_ms,
    stall_timeout_ms: limits.stall_timeout_ms,
    duration_seconds: info.duration_seconds,
    on_progress: (block) => request.on_progress(jobProgress(block, info.duration_seconds)),
    signal,
  })
  request.on_progress(stepProgress('verify', 100))
  const reading = { ...look, path: stagingPath, timeout_ms: limits.encode_timeout_ms }
  await verifyResult(reading, plan.expected, last?.frame ?? null).catch((error: unknown) => {
    throw withCommand(error, command)
  })
  await syncStaging(stagingPath)
  signal.throwIfAborted()
  const { size } = await stat(stagingPath)
  return { output_size: size, source_duration: info.duration_seconds, notes: plan.notes }
}

/** What a result fails by says more with the command that made it. */
function withCommand(error: unknown, command: string[]): unknown {
  if (!(error instanceof ConversionError) || error.report.command.length > 0) return error
  return new ConversionError(error.message, { ...error.report, command })
}

function stepProgress(step: Progress['step'], percent: number | null): Progress {
  return { step, percent, fps: null, speed: null, eta_seconds: null }
}
