import * as v from 'valibot'
import { ConversionSettings } from './conversion.ts'

/** What a worker found a source to be, as far as rules ask. */
export const SourceFacts = v.object({
  /** The main video track's, as ffprobe names it. */
  codec: v.string(),
  /** Pixels as shown: upright, square. */
  width: v.number(),
  height: v.number(),
  is_hdr: v.boolean(),
  /** Bits per second of the whole file; null when its length is not known. */
  bit_rate: v.nullable(v.number()),
  /** Null when the file does not tell. */
  duration_seconds: v.nullable(v.number()),
  /** As FFmpeg's demuxer is called, its first name: `mov`, `matroska`. */
  format: v.string(),
})
export type SourceFacts = v.InferOutput<typeof SourceFacts>

/** What a source must be for a profile to hold; what is left out does not count, all that is there must hold. */
export const SourceCondition = v.object({
  codec: v.optional(v.array(v.string())),
  /** Pixels of the picture as shown, inclusive. */
  min_height: v.optional(v.number()),
  max_height: v.optional(v.number()),
  hdr: v.optional(v.boolean()),
  /** Bits per second of the whole file, inclusive. */
  min_bitrate: v.optional(v.number()),
  max_bitrate: v.optional(v.number()),
  /** Seconds, inclusive. */
  min_duration: v.optional(v.number()),
  max_duration: v.optional(v.number()),
  /** Whether the source is already what the profile's settings ask for, as `isCompliant` says. */
  compliant: v.optional(v.boolean()),
})
export type SourceCondition = v.InferOutput<typeof SourceCondition>

/** A rule for sources, as a worker gets it with a job: those whose path pattern does not fit are left out. */
export const Profile = v.object({
  name: v.string(),
  when: SourceCondition,
  /** Whether such a source is not to be converted at all. */
  skip: v.boolean(),
  /** 0 to 10; null leaves the job's own. */
  priority: v.nullable(v.number()),
  /** The whole of the settings that hold for such a source. */
  settings: ConversionSettings,
})
export type Profile = v.InferOutput<typeof Profile>

/** A profile as the configuration holds it: with the patterns of the paths that it is for. */
export interface ConfiguredProfile extends Profile {
  /** Globs of paths relative to the source folder, `/` between folders, of which one must fit; null for every path. */
  path: readonly string[] | null
}

/** Whether a profile holds for every source whose path fits. */
export function isUnconditional({ when }: Pick<Profile, 'when'>): boolean {
  return Object.values(when).every((demand) => demand === undefined)
}
