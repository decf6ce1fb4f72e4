import { join } from 'node:path'
import { type VideoCodec, videoCodecs } from '../../contract/conversion.ts'
import type { SizeClass } from '../../contract/gpu.ts'
import { videoEncoderArgs } from '../encode/encoder-args.ts'
import { fileUrl } from '../ffmpeg/input-limits.ts'
import { cpuEncoders, isShaderCodec } from '../plan/video/encoders.ts'
import type { FrameSize } from '../plan/video/frame.ts'
import type { MediaInfo } from '../probe/media-info.ts'
import { readTrialFile } from './check-result.ts'
import type { SourceKind } from './source-kind.ts'
import { planarFormat } from './trial-plan.ts'
import { type TrialSetting, trial } from './trial.ts'

/** A clip to convert over and over. */
export interface CalibrationClip {
  path: string
  info: MediaInfo
}

/**
 * A picture typical of each class, a bit rate (bits per second) as such films have it, and frames that take not too long
 * to make. The sides are multiples of 128, as ffv1_vulkan takes them.
 */
const shapes: Record<SizeClass, FrameSize & { bitrate: number; frames: number }> = {
  sd: { width: 896, height: 512, bitrate: 3_000_000, frames: 100 },
  hd: { width: 1920, height: 1024, bitrate: 10_000_000, frames: 75 },
  uhd: { width: 3840, height: 2048, bitrate: 30_000_000, frames: 50 },
}

/** PQ in BT.2020. */
const hdrTags = 'setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc'

/** Without loss a frame is megabytes. */
const mostFramesWithoutRate = 25
const clipTimeoutMs = 120_000

/** Makes a clip of a kind of source, or tells why it cannot. What has no encoder here is made as h264. */
export async function makeCalibrationClip(setting: TrialSetting, kind: SourceKind): Promise<CalibrationClip | string> {
  const codec = videoCodecs.find((codec) => codec === kind.codec) ?? 'h264'
  const clip = await makeAs(setting, kind, codec)
  return typeof clip === 'string' && codec !== 'h264' ? makeAs(setting, kind, 'h264') : clip
}

async function makeAs(setting: TrialSetting, kind: SourceKind, codec: VideoCodec): Promise<CalibrationClip | string> {
  const { width, height, bitrate, frames } = shapes[kind.size_class]
  const path = join(setting.folder, `${codec}-${kind.bit_depth}-${kind.size_class}${kind.is_tone_mapped ? '-hdr' : ''}`)
  const hasRate = !isShaderCodec(codec)
  const encoding = {
    encoder: cpuEncoders[codec],
    preset: 'ultrafast',
    bitrate,
    rate_hint: null,
    size: { width, height },
    proof: null,
  } as const
  const { reason } = await trial(setting, {
    what: 'making a clip',
    args: [
      // Noise, since a drawn picture is far easier than a film.
      ['-f', 'lavfi', '-i', `testsrc2=size=${width}x${height}:rate=25,noise=alls=12:allf=t`],
      ['-frames:v', String(hasRate ? frames : Math.min(frames, mostFramesWithoutRate))],
      kind.is_tone_mapped ? ['-filter:v', `format=${planarFormat(10)},${hdrTags}`] : [],
      ['-pix_fmt', codec === 'prores' ? 'yuv422p10le' : planarFormat(kind.bit_depth > 8 ? 10 : 8)],
      [...videoEncoderArgs(encoding), '-f', 'matroska', fileUrl(path)],
    ].flat(),
    timeout_ms: clipTimeoutMs,
  })
  if (reason !== null) return `there is no clip to measure with: ${reason}`
  const info = await readTrialFile(setting, path)
  return typeof info === 'string' ? `there is no clip to measure with: ${info}` : { path, info }
}
