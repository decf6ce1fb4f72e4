import type { ConversionSettings } from '../../src/contract/conversion.ts'
import type { Gpu } from '../../src/contract/gpu.ts'
import type {
  AttachmentStream,
  AudioStream,
  DataStream,
  MediaInfo,
  MediaStream,
  SubtitleStream,
  VideoStream,
} from '../../src/pipeline/probe/media-info.ts'
import { capability } from '../support/capability.ts'

/** Settings that most tests ask for; what matters to a test is given. */
export function settings(changes: Partial<ConversionSettings> = {}): ConversionSettings {
  return {
    target_resolution: { width: 1920, height: 1080 },
    codec: 'h264',
    bitrate: 2_000_000,
    preset: 'fast',
    audio_codec: 'aac',
    audio_bitrate: 128_000,
    container: 'mp4',
    quality: null,
    max_bitrate: null,
    two_pass: false,
    audio_channels: 'keep',
    max_size_ratio: null,
    verify: { decode: 'samples', metric: null },
    ...changes,
  }
}

const untold = { profile: null, language: null, title: null, tag_names: [], dispositions: [] }

/** A 1080p film track of a minute at 25 frames a second. */
export function video(changes: Partial<VideoStream> = {}): VideoStream {
  return {
    kind: 'video',
    index: 0,
    codec: 'h264',
    ...untold,
    is_cover: false,
    file_name: null,
    is_default: true,
    width: 1920,
    height: 1080,
    sample_aspect: 1,
    rotation: 0,
    pixel_format: 'yuv420p',
    bit_depth: 8,
    is_interlaced: false,
    has_alpha: false,
    time_base: '1:12800',
    average_rate: 25,
    nominal_rate: 25,
    color: { range: null, primaries: null, transfer: null, matrix: null },
    chroma_location: null,
    hdr: null,
    frame_count: null,
    start_seconds: 0,
    duration_seconds: 60,
    ...changes,
  }
}

/** A stereo track, of more bits than `settings` ask for. */
export function audio(changes: Partial<AudioStream> = {}): AudioStream {
  return {
    kind: 'audio',
    index: 1,
    codec: 'aac',
    ...untold,
    channels: 2,
    channel_layout: 'stereo',
    sample_rate: 48_000,
    bit_rate: 192_000,
    start_seconds: 0,
    duration_seconds: 60,
    ...changes,
  }
}

export function subtitle(changes: Partial<SubtitleStream> = {}): SubtitleStream {
  return { kind: 'subtitle', index: 2, codec: 'subrip', ...untold, ...changes }
}

/** A font. */
export function attachment(changes: Partial<AttachmentStream> = {}): AttachmentStream {
  const facts = { file_name: 'serif.ttf', media_type: 'font/ttf' }
  return { kind: 'attachment', index: 3, codec: 'ttf', ...untold, ...facts, ...changes }
}

export function data(changes: Partial<DataStream> = {}): DataStream {
  return { kind: 'data', index: 4, codec: 'bin_data', codec_tag: 'data', ...untold, ...changes }
}

/** A file of a minute with these tracks. */
export function media(streams: MediaStream[] = [video(), audio()], changes: Partial<MediaInfo> = {}): MediaInfo {
  return {
    formats: ['matroska', 'webm'],
    duration_seconds: 60,
    start_seconds: 0,
    size_bytes: 1_000_000,
    chapter_count: 0,
    early_chapter_count: 0,
    tag_names: [],
    camera_tags: {},
    streams,
    ...changes,
  }
}

/** What a promise was rejected with, or undefined. */
export async function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  )
}

/** A card that does everything in 8 bits, and hevc in 10. */
export function gpu(changes: Partial<Gpu> = {}): Gpu {
  const limits = { min_width: 128, min_height: 128, max_width: 4096, max_height: 4096 }
  const depths = [8, 10] as const
  return {
    id: 'vulkan:0',
    api: 'vulkan',
    selector: '0',
    name: 'Card',
    type: 'discrete',
    driver_version: '1.0',
    pci_address: '0000:01:00.0',
    vendor_id: 0x10de,
    capabilities: [
      capability({ limits }),
      ...depths.map((bit_depth) => capability({ codec: 'hevc', by: 'hevc_vulkan', bit_depth, limits })),
      capability({ codec: 'ffv1', by: 'ffv1_vulkan', rate_control: null, quality_levels: 0 }),
      capability({ operation: 'decode', by: 'vulkan', limits }),
      ...depths.map((bit_depth) => capability({ operation: 'decode', codec: 'hevc', by: 'vulkan', bit_depth, limits })),
      ...depths.map((bit_depth) => capability({ operation: 'filter', codec: null, by: 'scale_vulkan', bit_depth })),
    ],
    decode_slots: 1,
    ...changes,
  }
}
