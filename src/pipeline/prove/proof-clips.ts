import { join } from 'node:path'
import type { VideoCodec } from '../../contract/conversion.ts'
import { videoEncoderArgs } from '../encode/encoder-args.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import { cpuEncoders, isShaderCodec } from '../plan/video/encoders.ts'
import { decodedFormat } from '../plan/video/filters.ts'
import { mainVideo } from '../probe/main-video.ts'
import type { VideoStream } from '../probe/media-info.ts'
import { readTrialFile } from './check-result.ts'
import { readFrames } from './read-frames.ts'
import { planarFormat, testSize, testSource } from './trial-plan.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** A clip to decode, and what comes of it on the CPU. */
export interface ProofClip {
  path: string
  video: VideoStream
  /** The pixel format in which a GPU gives it back. */
  format: string
  /** MD5 of each frame in that format. */
  hashes: string[]
  /** Whether every decoder must give the same bits. */
  is_exact: boolean
}

/** Gives the clip of a codec and depth, or why there is none; each is made once. */
export type ProofClips = (codec: VideoCodec, bit_depth: number) => Promise<ProofClip | string>

/** NVIDIA's driver 580 hangs after some sixty frames when it does. */
const videoFrames = 200
/** Lavapipe decodes three to five of them a second. */
const shaderFrames = 12

/** Clips of one proof, made by the CPU's encoders when they are first asked for. */
export function proofClips(setting: TrialSetting): ProofClips {
  const made = new Map<string, Promise<ProofClip | string>>()
  return (codec, bit_depth) => {
    const key = `${codec}-${bit_depth}`
    const clip = made.get(key) ?? makeClip(setting, codec, bit_depth)
    made.set(key, clip)
    return clip
  }
}

async function makeClip(setting: TrialSetting, codec: VideoCodec, bit_depth: number): Promise<ProofClip | string> {
  const path = join(setting.folder, `clip-${codec}-${bit_depth}`)
  const frames = isShaderCodec(codec) ? shaderFrames : videoFrames
  const choice = { preset: 'veryfast', bitrate: 2_000_000, rate_hint: null, size: testSize, proof: null } as const
  const { reason } = await trial(setting, {
    what: 'making it',
    args: [
      ['-f', 'lavfi', '-i', testSource(testSize), '-frames:v', String(frames)],
      ['-pix_fmt', codec === 'prores' ? 'yuv422p10le' : planarFormat(bit_depth)],
      [...videoEncoderArgs({ ...choice, encoder: cpuEncoders[codec] }), '-f', 'matroska', fileUrl(path)],
    ].flat(),
    timeout_ms: 2 * trialTimeoutMs,
  })
  if (reason !== null) return `there is no clip to try it with: ${reason}`
  const info = await readTrialFile(setting, path)
  if (typeof info === 'string') return `there is no clip to try it with: ${info}`
  const video = mainVideo(info)
  const format = decodedFormat(video)
  const args = [...inputLimits, '-i', fileUrl(path), '-filter:v', `format=${format}`]
  const decoded = await readFrames(setting, { args, stall_timeout_ms: trialTimeoutMs })
  if (decoded.reason !== null) return `there is no clip to try it with: ${decoded.reason}`
  // The inverse transform of ProRes is not specified to the bit.
  return { path, video, format, hashes: decoded.hashes, is_exact: codec !== 'prores' }
}
