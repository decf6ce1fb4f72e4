import * as v from 'valibot'
import { Percent, Text } from './fields.ts'
import { vulkanDeviceTypes } from './vulkan.ts'

/** How a GPU's engines are reached, in the order of choice. */
export const gpuApis = ['vulkan', 'nvenc', 'qsv', 'vaapi', 'amf', 'videotoolbox'] as const
export type GpuApi = (typeof gpuApis)[number]

/** Something that a GPU was tried at by a real run of ffmpeg, or why it was not even tried. */
export const GpuCapability = v.object({
  operation: v.picklist(['decode', 'filter', 'encode']),
  /** As `conversion.codec` names it; null for a filter, which takes any. */
  codec: v.nullable(v.string()),
  /** Bits per sample that were tried; 0 where no depth was, and for what holds for all of them. */
  bit_depth: v.number(),
  /** FFmpeg's name of the encoder (`h264_vulkan`), hwaccel (`vulkan`) or filter (`scale_vulkan`). */
  by: v.string(),
  proved: v.boolean(),
  /** Why not, as a clause: `the driver has no encode queue`; null when it is proved. */
  reason: v.nullable(v.string()),
  /** Pixels that the driver claims to take; null when it makes no claim. */
  limits: v.nullable(
    v.object({ min_width: v.number(), min_height: v.number(), max_width: v.number(), max_height: v.number() }),
  ),
  /** How an encoder is held to a bit rate, the best that the driver has; null for what is no Vulkan Video encoder. */
  rate_control: v.nullable(v.picklist(['vbr', 'cbr', 'cqp'])),
  /** Steps of quality that a Vulkan Video encoder has; 0 for all others. */
  quality_levels: v.number(),
})
export type GpuCapability = v.InferOutput<typeof GpuCapability>

/** A GPU as ffmpeg reaches it by one API, and what it has proved. */
export const Gpu = v.object({
  /** `vulkan:0`, `nvenc`, `vaapi:/dev/dri/renderD128`; of one machine and one start. */
  id: v.string(),
  api: v.picklist(gpuApis),
  /** What ffmpeg is told to choose it by: Vulkan's number in ffmpeg's own list, a render node; empty for the only one. */
  selector: v.string(),
  name: v.string(),
  /** Null for what Vulkan does not know. */
  type: v.nullable(v.picklist(vulkanDeviceTypes)),
  /** Empty when it is not known. */
  driver_version: v.string(),
  /** `0000:01:00.0`; null when it is not known. */
  pci_address: v.nullable(v.string()),
  /** The PCI vendor, as `VulkanDevice` has it; null when it is not known. */
  vendor_id: v.optional(v.nullable(v.number()), null),
  capabilities: v.pipe(v.array(GpuCapability), v.maxLength(200)),
  /** Decodes that the proof saw it do side by side; 0 when it decodes nothing. */
  decode_slots: v.number(),
})
export type Gpu = v.InferOutput<typeof Gpu>

/** Percent of the time since the last look in which an engine was busy; null where the driver does not tell. */
export const GpuUsage = v.object({
  usage: v.nullable(Percent),
  encoder_usage: v.nullable(Percent),
  decoder_usage: v.nullable(Percent),
  /** Of its own memory. */
  memory_usage: v.nullable(Percent),
})
export type GpuUsage = v.InferOutput<typeof GpuUsage>

/** A GPU as its worker sees it at the moment. */
export const GpuState = v.object({
  ...Gpu.entries,
  ...GpuUsage.entries,
  /** Conversions at a time that it takes. */
  slots: v.number(),
  active_jobs: v.number(),
  /** Not used for a while after failures in a row; null when it is used. */
  set_aside: v.nullable(v.object({ seconds_left: v.number(), failures: v.number(), reason: Text(500) })),
})
export type GpuState = v.InferOutput<typeof GpuState>

/** Who decodes, filters and encodes a picture. */
export const VideoPath = v.object({
  decode: v.picklist(['cpu', 'vulkan']),
  filter: v.picklist(['cpu', 'vulkan']),
  /** FFmpeg's name: `libx264`, `h264_vulkan`, `h264_nvenc`. */
  encoder: v.pipe(v.string(), v.maxLength(64)),
  /** The GPU's name; null when nothing runs on one. */
  device: v.nullable(v.pipe(v.string(), v.maxLength(255))),
})
export type VideoPath = v.InferOutput<typeof VideoPath>

/** What an attempt's picture ran on, and why on nothing better. */
export const RanOn = v.object({
  ...VideoPath.entries,
  /** Whether a GPU failed at it in this attempt, so that another path had to take over. */
  fell_back: v.boolean(),
  /** A sentence each: what a rule forbids, what is not proved, what failed. The first twenty count. */
  reasons: v.pipe(
    v.array(Text(500)),
    v.transform((reasons) => reasons.slice(0, 20)),
  ),
  /** How the source came and the result went; missing where the worker does not tell. */
  files: v.fallback(v.optional(v.picklist(['mount', 'http'])), undefined),
})
export type RanOn = v.InferOutput<typeof RanOn>

/** How large a source's picture is, by its pixels: up to 1024x576, up to 1920x1088, above. */
export const sizeClasses = ['sd', 'hd', 'uhd'] as const
export type SizeClass = (typeof sizeClasses)[number]

/** How fast a path was at one kind of source on this machine. */
export const PathFigure = v.object({
  ...VideoPath.entries,
  /** The GPU's `id`; null when nothing runs on one. */
  gpu_id: v.nullable(v.string()),
  source_codec: v.string(),
  bit_depth: v.number(),
  size_class: v.picklist(sizeClasses),
  /** Whether the source is HDR and the result SDR; missing for no. */
  is_tone_mapped: v.optional(v.literal(true)),
  /** Of the result. */
  codec: v.string(),
  /** Conversions that ran side by side while it was measured. */
  processes: v.number(),
  /** Frames per second of one of them, once it runs; null when it failed. */
  fps: v.nullable(v.number()),
  /** Milliseconds from its start to its first frames, which a GPU needs more of; null when it failed. */
  start_ms: v.optional(v.nullable(v.number()), null),
  /** Milliseconds of CPU time a frame; null when it failed. */
  cpu_ms_per_frame: v.nullable(v.number()),
  /** Why it could not be measured; null when it was. */
  reason: v.nullable(v.string()),
})
export type PathFigure = v.InferOutput<typeof PathFigure>

/** What a worker tells of its GPUs. */
export const GpuReport = v.object({
  /** `ffmpeg.gpu` */
  mode: v.picklist(['require', 'prefer', 'off']),
  gpus: v.pipe(v.array(GpuState), v.maxLength(64)),
  /** Why no GPU is used; null when one is. */
  problem: v.nullable(Text(1000)),
  /** Whether there seems to be a GPU, so that a problem is worth a person's while. */
  has_gpu: v.optional(v.boolean(), true),
  /** The first five hundred count. */
  figures: v.pipe(
    v.array(PathFigure),
    v.transform((figures) => figures.slice(0, 500)),
  ),
})
export type GpuReport = v.InferOutput<typeof GpuReport>

/** `h264_vulkan on NVIDIA GeForce RTX 3080, decoded and scaled there`, `libx264 on the CPU`: for people. */
export function pathText({ decode, filter, encoder, device }: VideoPath): string {
  if (device === null) return `${encoder} on the CPU`
  const parts = [decode === 'vulkan' ? 'decoded' : '', filter === 'vulkan' ? 'scaled' : '']
    .filter(Boolean)
    .join(' and ')
  if (/^(lib|ffv1$|prores_ks$)/.test(encoder)) return `${encoder} on the CPU, ${parts} on ${device}`
  return `${encoder} on ${device}${parts === '' ? '' : `, ${parts} there`}`
}
