import type { VideoCodec } from '../../../contract/conversion.ts'
import type { GpuApi } from '../../../contract/gpu.ts'
import { surfaceOf } from '../../probe/pixel-format.ts'

/** FFmpeg's encoders that compute on the CPU. */
export type CpuEncoder = 'libx264' | 'libx265' | 'libsvtav1' | 'libvpx-vp9' | 'ffv1' | 'prores_ks'
/** FFmpeg's encoders that a GPU runs. */
export type GpuEncoder =
  | `${'h264' | 'hevc' | 'av1'}_${Exclude<GpuApi, 'videotoolbox'>}`
  | `vp9_${'qsv' | 'vaapi'}`
  | `${'h264' | 'hevc' | 'prores'}_videotoolbox`
  | 'ffv1_vulkan'
  | 'prores_ks_vulkan'
export type VideoEncoder = CpuEncoder | GpuEncoder

/** The encoder of each codec on the CPU. */
export const cpuEncoders: Record<VideoCodec, CpuEncoder> = {
  h264: 'libx264',
  hevc: 'libx265',
  av1: 'libsvtav1',
  vp9: 'libvpx-vp9',
  ffv1: 'ffv1',
  prores: 'prores_ks',
}

/** The encoder of each codec that an API has. */
export const gpuEncoders: Record<GpuApi, Partial<Record<VideoCodec, GpuEncoder>>> = {
  vulkan: {
    h264: 'h264_vulkan',
    hevc: 'hevc_vulkan',
    av1: 'av1_vulkan',
    ffv1: 'ffv1_vulkan',
    prores: 'prores_ks_vulkan',
  },
  nvenc: { h264: 'h264_nvenc', hevc: 'hevc_nvenc', av1: 'av1_nvenc' },
  qsv: { h264: 'h264_qsv', hevc: 'hevc_qsv', av1: 'av1_qsv', vp9: 'vp9_qsv' },
  vaapi: { h264: 'h264_vaapi', hevc: 'hevc_vaapi', av1: 'av1_vaapi', vp9: 'vp9_vaapi' },
  amf: { h264: 'h264_amf', hevc: 'hevc_amf', av1: 'av1_amf' },
  videotoolbox: { h264: 'h264_videotoolbox', hevc: 'hevc_videotoolbox', prores: 'prores_videotoolbox' },
}

/** Whether an encoder takes frames only from the GPU's memory, so that they must be uploaded. */
export function wantsUpload(encoder: VideoEncoder): boolean {
  return /_(vulkan|vaapi)$/.test(encoder)
}

/** Whether a GPU runs an encoder. */
export function isGpuEncoder(encoder: VideoEncoder): encoder is GpuEncoder {
  return /_(vulkan|nvenc|qsv|vaapi|amf|videotoolbox)$/.test(encoder)
}

/**
 * Whether Vulkan does a codec by compute shaders, which keep the planes as they are, and not by Vulkan Video: ffv1 and
 * prores, whose every picture stands alone and takes the bits that it needs.
 */
export function isShaderCodec(codec: string): boolean {
  return codec === 'ffv1' || codec === 'prores'
}

/**
 * The pixel format that an encoder is fed, by the one that the result shall have. Engines for 4:2:0 video know it with
 * interleaved chroma only; encoders that are compute shaders take the planes as they are.
 */
export function inputFormat(encoder: VideoEncoder, format: string): string {
  return isGpuEncoder(encoder) && !isByShaders(encoder) ? surfaceOf(format) : format
}

/**
 * Whether an encoder takes pictures in a GPU's memory in a pixel format in which something else has left them there.
 * Shaders take the result's own, and ffv1_vulkan takes nv12 for yuv420p, but no p010le.
 */
export function takesSurface(encoder: VideoEncoder, surface: string, format: string): boolean {
  if (!isByShaders(encoder)) return surface === inputFormat(encoder, format)
  return surface === format || (encoder === 'ffv1_vulkan' && surface === 'nv12' && format === 'yuv420p')
}

function isByShaders(encoder: VideoEncoder): boolean {
  return encoder === 'ffv1_vulkan' || encoder === 'prores_ks_vulkan'
}
