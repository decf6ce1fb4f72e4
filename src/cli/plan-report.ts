import type { VideoPath } from '../contract/gpu.ts'
import type { FilePlan } from '../pipeline/plan-file.ts'
import type { StreamDecision } from '../pipeline/stream-decision.ts'

/** What would be done with a file, as plain data for programs. */
export interface PlanReport {
  source_path: string
  output_path: string
  source: {
    /** The demuxer's names. */
    formats: string[]
    size_bytes: number
    /** Seconds; null when the file does not tell. */
    duration_seconds: number | null
    chapters: number
  }
  /** The name of the profile that holds; null when none does. */
  profile: string | null
  streams: StreamDecision[]
  /** Pixels of the result's picture. */
  width: number
  height: number
  /** What is dropped or changed, a sentence each. */
  notes: string[]
  runs_on: VideoPath
  /** Why on nothing better. */
  reasons: string[]
  /** ffmpeg's argv, program first. */
  command: string[]
}

/** The report of a planned file. */
export function planReport({
  source_path,
  output_path,
  info,
  profile,
  plan,
  path,
  reasons,
  command,
}: FilePlan & { source_path: string; output_path: string }): PlanReport {
  const { decode, filter, encoder, device } = path
  return {
    source_path,
    output_path,
    source: {
      formats: info.formats,
      size_bytes: info.size_bytes,
      duration_seconds: info.duration_seconds,
      chapters: info.chapter_count,
    },
    profile,
    streams: plan.streams,
    width: plan.expected.width,
    height: plan.expected.height,
    notes: plan.notes,
    runs_on: { decode, filter, encoder, device },
    reasons: [...reasons],
    command,
  }
}
