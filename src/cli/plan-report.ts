import type { VideoPath } from '../contract/gpu.ts'
import type { SourceFacts } from '../contract/profile.ts'
import type { ExpectedSize } from '../pipeline/expected-size.ts'
import type { FilePlan } from '../pipeline/plan-file.ts'
import type { StreamDecision } from '../pipeline/plan/streams/decision.ts'

/** What would be done with a file, as plain data for programs. */
export interface PlanReport {
  source_path: string
  output_path: string
  source: SourceFacts & {
    size_bytes: number
    chapters: number
    /** Null when the decoder is not known. */
    pixel_format: string | null
  }
  /** The name of the profile that holds; null when none does. */
  profile: string | null
  streams: StreamDecision[]
  result: ExpectedSize & {
    codec: string
    /** Pixels. */
    width: number
    height: number
    pixel_format: string
  }
  /** Why it will probably be skipped in the end, as too large; null when that is not to be expected. */
  likely_skip: string | null
  /** What is dropped or changed, a sentence each. */
  notes: string[]
  runs_on: VideoPath
  /** Why on nothing better. */
  reasons: string[]
  /** The argv of each run of ffmpeg, program first. */
  commands: string[][]
}

/** The report of a planned file. */
export function planReport(planned: FilePlan & { source_path: string; output_path: string }): PlanReport {
  const { source_path, output_path, info, picture, record, plan, size, path, reasons, commands } = planned
  const { decode, filter, encoder, device } = path
  const { size_bytes, chapter_count: chapters } = info
  return {
    source_path,
    output_path,
    source: { ...record.source_facts, size_bytes, chapters, pixel_format: picture.source.pixel_format },
    profile: record.profile,
    streams: plan.streams,
    result: { codec: picture.codec, ...picture.size, pixel_format: picture.format, ...size },
    likely_skip: likelySkip(planned),
    notes: plan.notes,
    runs_on: { decode, filter, encoder, device },
    reasons: [...reasons],
    commands,
  }
}

function likelySkip({ info, record, size }: FilePlan): string | null {
  const { max_size_ratio: ratio } = record.settings
  if (ratio === null || size.bytes === null || size.bytes < ratio * info.size_bytes) return null
  return `the result is expected to be ${(size.bytes / info.size_bytes).toFixed(2)} times its source, and max_size_ratio is ${ratio}`
}
