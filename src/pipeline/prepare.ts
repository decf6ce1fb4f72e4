import type { ConversionRecord } from '../contract/conversion-record.ts'
import type { ConversionSettings } from '../contract/conversion.ts'
import type { ConversionError } from '../contract/failure.ts'
import type { SourceFacts } from '../contract/profile.ts'
import { applyProfile, type ProfileChoice } from './apply-profile.ts'
import { extractCovers } from './encode/extract-covers.ts'
import { cpuFilterLack } from './plan/video/cpu-filter-lack.ts'
import { type Picture, planPicture } from './plan/video/picture.ts'
import { probeSource } from './probe.ts'
import { mainVideo } from './probe/main-video.ts'
import type { MediaInfo } from './probe/media-info.ts'
import { sourceFacts } from './probe/source-facts.ts'
import type { Tools } from './tools.ts'
import { requireMetric } from './verify/measure-picture.ts'

/** A source to look at. */
export interface PrepareRequest extends ProfileChoice {
  /** Where the source lies on this host; at `source_path` unless told. */
  read_path?: string
  /** A folder for this conversion alone, which is there. */
  work_path: string
  tools: Tools
  child_environment: Record<string, string | undefined>
  /** Milliseconds. */
  probe_timeout_ms: number
  signal: AbortSignal
}

/** A source that was looked at, and what is decided of it before anybody asks what it may run on. */
export interface Prepared {
  info: MediaInfo
  picture: Picture
  record: ConversionRecord & { settings: ConversionSettings; source_facts: SourceFacts }
  /** Why the filters on the CPU cannot do what the picture needs; null when they can. */
  cpu_filter_lack: ConversionError | null
}

/**
 * Looks at a source by a path that ffprobe may have, chooses its settings, and makes sure that this ffmpeg can do what
 * they take. Throws what `probeSource` and `applyProfile` do, and `ConversionError` (step plan) for a source that has no
 * way to the result.
 */
export async function prepare(request: PrepareRequest, inputPath: string): Promise<Prepared> {
  const { tools, signal } = request
  const child = { tools, environment: request.child_environment, signal }
  const look = { ...child, timeout_ms: request.probe_timeout_ms }
  const probed = await probeSource({ ...look, path: inputPath, source_path: request.read_path ?? request.source_path })
  const source_facts = sourceFacts(probed)
  const record = { ...applyProfile(request, source_facts), source_facts }
  const { settings } = record
  const covers = { info: probed, settings, input_path: inputPath, work_path: request.work_path }
  const info = await extractCovers({ ...look, ...covers })
  const picture = planPicture(mainVideo(info), settings)
  await requireMetric(settings.verify.metric, child)
  return { info, picture, record, cpu_filter_lack: await cpuFilterLack(picture.colour, child) }
}
