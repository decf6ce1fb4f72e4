import { ffmpegRuns } from './encode/ffmpeg-args.ts'
import { type ExpectedSize, expectedSize } from './expected-size.ts'
import type { GpuAccess } from './gpu-access.ts'
import { rankedPaths } from './on-best-path.ts'
import { type ConversionPlan, planConversion } from './plan.ts'
import { cpuPath, type PathCandidate } from './plan/video/paths.ts'
import { type Prepared, prepare, type PrepareRequest } from './prepare.ts'
import { openWork, removeWork } from './staging.ts'

/** A conversion to think through and not to do. The folder at `work_path` is made here, and removed. */
export interface PlanFileRequest extends Omit<PrepareRequest, 'priority'> {
  /** Where the result would lie; only named. */
  output_path: string
  gpus: GpuAccess
}

/** What would be done with a file. */
export interface FilePlan extends Prepared {
  plan: ConversionPlan
  /** What the result will come to. */
  size: ExpectedSize
  /** What it would run on if it began now, and why on nothing better. */
  path: PathCandidate
  reasons: string[]
  /** Each run of ffmpeg, program first. */
  commands: string[][]
}

/** Looks at a file and decides everything about its conversion, as `convert` does; writes nothing. Throws as `convert` does. */
export async function planFile(request: PlanFileRequest): Promise<FilePlan> {
  try {
    const prepared = await prepare(request, await openWork(request.work_path, request.source_path))
    return await planPrepared(prepared, request)
  } finally {
    await removeWork(request.work_path)
  }
}

async function planPrepared(prepared: Prepared, request: PlanFileRequest): Promise<FilePlan> {
  const { picture, info, record } = prepared
  const { settings } = record
  const { cpu_filter_lack } = prepared
  const asked = { picture, settings, access: request.gpus, cpu_filter_lack }
  const { candidates, reasons } = await rankedPaths(asked, request.signal)
  const path = candidates[0] ?? cpuPath(settings)
  const plan = planConversion(info, settings, path)
  const paths = { input: request.source_path, output: request.output_path, work_folder: request.work_path }
  const commands = ffmpegRuns(plan, paths).map((args) => [request.tools.ffmpeg_path, ...args])
  return { ...prepared, plan, size: expectedSize(plan, info), path, reasons, commands }
}
