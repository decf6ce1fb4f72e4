import * as v from 'valibot'
import { SideData } from './hdr-metadata.ts'

const Numeric = v.optional(v.union([v.string(), v.number()]))
/** A stream as ffprobe describes it. */
export const RawStream = v.object({
  index: v.number(),
  codec_type: v.optional(v.string(), 'unknown'),
  codec_name: v.optional(v.string(), 'unknown'),
  codec_tag_string: v.optional(v.string(), ''),
  profile: v.optional(v.union([v.string(), v.number()])),
  width: v.optional(v.number(), 0),
  height: v.optional(v.number(), 0),
  sample_aspect_ratio: v.optional(v.string(), '1:1'),
  pix_fmt: v.optional(v.string()),
  bits_per_raw_sample: Numeric,
  field_order: v.optional(v.string(), 'unknown'),
  time_base: v.optional(v.string(), '0/0'),
  avg_frame_rate: v.optional(v.string(), '0/0'),
  r_frame_rate: v.optional(v.string(), '0/0'),
  color_range: v.optional(v.string()),
  color_primaries: v.optional(v.string()),
  color_transfer: v.optional(v.string()),
  color_space: v.optional(v.string()),
  chroma_location: v.optional(v.string()),
  nb_frames: Numeric,
  nb_read_packets: Numeric,
  start_time: Numeric,
  duration: Numeric,
  bit_rate: Numeric,
  channels: v.optional(v.number(), 0),
  channel_layout: v.optional(v.string()),
  sample_rate: Numeric,
  disposition: v.optional(v.record(v.string(), v.number()), {}),
  tags: v.optional(v.record(v.string(), v.string()), {}),
  side_data_list: v.optional(v.array(v.looseObject({ ...SideData.entries, rotation: v.optional(v.number()) })), []),
})
export type RawStream = v.InferOutput<typeof RawStream>

/** What `-of json` with `-show_format -show_streams -show_chapters` gives. */
export const RawProbe = v.object({
  streams: v.optional(v.array(RawStream), []),
  chapters: v.optional(v.array(v.object({ end_time: Numeric })), []),
  format: v.object({
    format_name: v.string(),
    duration: Numeric,
    start_time: Numeric,
    size: Numeric,
    tags: v.optional(v.record(v.string(), v.string()), {}),
  }),
})
