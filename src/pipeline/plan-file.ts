import { applyProfile, type ProfileChoice } from './apply-profile.ts'
import { ffmpegArgs } from './ffmpeg-args.ts'
import type { GpuAccess } from './gpu-access.ts'
import type { MediaInfo } from './media-info.ts'
import { rankedPaths } from './on-best-path.ts'
import { planPicture } from './picture.ts'
import { type ConversionPlan, mainVideo, planConversion } from './plan.ts'
import { probeSource } from './probe.ts'
import { sourceFacts } from './source-facts.ts'
import { openWork, removeWork } from './staging.ts'
import type { Tools } from './tools.ts'
import { cpuPath, type PathCandidate } from './video-paths.ts'

/** A conversion to think through and not to do. */
export interface PlanFileRequest extends Omit<ProfileChoice, 'priority'> {
  /** Where the result would lie; only named. */
  output_path: string
  /** A folder for this look alone: made here, and removed. */
  work_path: string
  tools: Tools
  gpus: GpuAccess
  child_environment: Record<string, string | undefined>
  probe_timeout_ms: number
  signal: AbortSignal
}

/** What would be done with a file. */
export interface FilePlan {
  info: MediaInfo
  /** The name of the profile that holds; null when none does. */
  profile: string | null
  plan: ConversionPlan
  /** What it would run on if it began now, and why on nothing better. */
  path: PathCandidate
  reasons: string[]
  /** ffmpeg's whole argv, program first. */
  command: string[]
}

/** Looks at a file and decides everything about its conversion, as `convert` does; writes nothing. Throws as `convert` does. */
export async function planFile(request: PlanFileRequest): Promise<FilePlan> {
  try {
    return await planStaged(request, await openWork(request.work_path, request.source_path))
  } finally {
    await removeWork(request.work_path)
  }
}

async function planStaged(request: PlanFileRequest, inputPath: string): Promise<FilePlan> {
  const { tools, signal, source_path: sourcePath } = request
  const info = await probeSource({
    path: inputPath,
    source_path: sourcePath,
    tools,
    environment: request.child_environment,
    timeout_ms: request.probe_timeout_ms,
    signal,
  })
  const { settings, profile } = applyProfile(request, sourceFacts(info))
  const picture = planPicture(mainVideo(info), settings)
  const { candidates, reasons } = await rankedPaths({ picture, settings, access: request.gpus }, signal)
  const path = candidates[0] ?? cpuPath(settings)
  const plan = planConversion(info, settings, path)
  const command = [tools.ffmpeg_path, ...ffmpegArgs(plan, sourcePath, request.output_path, null, request.work_path)]
  return { info, profile, plan, path, reasons, command }
}
