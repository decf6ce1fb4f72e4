import * as v from 'valibot'
import { ConversionSettings, type VideoCodec } from '../../contract/conversion.ts'
import type { Gpu, GpuCapability } from '../../contract/gpu.ts'
import { type ConversionPlan, planConversion } from '../plan.ts'
import { cpuEncoders } from '../plan/video/encoders.ts'
import type { FrameSize } from '../plan/video/frame.ts'
import type { PathCandidate } from '../plan/video/paths.ts'
import type { VideoStream } from '../probe/media-info.ts'

/** The picture that GPUs are tried with, and what it is scaled to. */
export const testSize = { width: 640, height: 360 }
/** ffv1_vulkan writes what FFmpeg before 7 can read only of pictures in multiples of 128 pixels. */
export const ffv1Size = { width: 640, height: 384 }
export const smallSize = { width: 320, height: 180 }

/** A moving picture of 25 frames a second as a lavfi source; the same at every run. */
export function testSource({ width, height }: FrameSize): string {
  return `testsrc2=size=${width}x${height}:rate=25`
}

/** What a trial is to be planned for. */
export interface TrialPlanRequest {
  gpu: Gpu
  path: Pick<PathCandidate, 'decode' | 'filter'> & Partial<Pick<PathCandidate, 'encoder' | 'proof'>>
  /** Of the source. */
  picture: Pick<VideoStream, 'width' | 'height' | 'pixel_format' | 'bit_depth'> &
    Partial<Pick<VideoStream, 'codec' | 'color'>>
  /** Of the result; the encoder is the CPU's unless the path names one. */
  codec: VideoCodec
  /** The result's; the source's unless told. */
  size?: FrameSize
}

/** A conversion of a test picture as any other would be planned, so that what is tried is what will run. */
export function trialPlan({ gpu, path, picture, codec, size }: TrialPlanRequest): ConversionPlan {
  const info = {
    formats: ['lavfi'],
    start_seconds: 0,
    size_bytes: 0,
    chapter_count: 0,
    early_chapter_count: 0,
    duration_seconds: null,
    tag_names: [],
    camera_tags: {},
  }
  const candidate = { encoder: cpuEncoders[codec], proof: null, ...path, device: gpu.name, gpu }
  const stream = { ...testStream, ...picture }
  const settings = v.parse(ConversionSettings, {
    target_resolution: size ?? { width: stream.width, height: stream.height },
    codec,
    bitrate: 4_000_000,
    preset: 'fast',
    audio_codec: 'aac',
    audio_bitrate: 128_000,
    container: 'mkv',
  })
  return planConversion({ ...info, streams: [stream] }, settings, candidate)
}

const testStream: VideoStream = {
  kind: 'video',
  index: 0,
  codec: 'rawvideo',
  profile: null,
  language: null,
  title: null,
  tag_names: [],
  dispositions: [],
  is_cover: false,
  file_name: null,
  is_default: true,
  ...testSize,
  sample_aspect: 1,
  rotation: 0,
  pixel_format: 'yuv420p',
  bit_depth: 8,
  is_interlaced: false,
  has_alpha: false,
  time_base: '1:25',
  average_rate: 25,
  nominal_rate: 25,
  color: { range: null, primaries: null, transfer: null, matrix: null },
  chroma_location: null,
  hdr: null,
  frame_count: null,
  start_seconds: 0,
  duration_seconds: null,
}

/** The planar format of 4:2:0 pixels of that depth. */
export function planarFormat(bit_depth: number): string {
  return bit_depth === 10 ? 'yuv420p10le' : 'yuv420p'
}

/** What is tried, before it is. */
export type Subject = Pick<GpuCapability, 'operation' | 'codec' | 'bit_depth' | 'by'> &
  Partial<Pick<GpuCapability, 'limits' | 'rate_control' | 'quality_levels'>>

/** The same where it is about a codec. */
export type CodecSubject = Subject & { codec: VideoCodec }

/** What came of all trials of a GPU. */
export interface GpuProof {
  gpu: Gpu
  /** Whether any trial failed, which may be the moment's fault; what was not even tried does not count. */
  has_failed: boolean
}

/** What a trial showed: `reason` is why it failed, null when it did not. */
export function capability(subject: Subject, reason: string | null): GpuCapability {
  return { limits: null, rate_control: null, quality_levels: 0, ...subject, proved: reason === null, reason }
}
