import { join } from 'node:path'
import type { Gpu } from '../../contract/gpu.ts'
import { videoEncoderArgs } from '../encode/encoder-args.ts'
import { fileUrl } from '../ffmpeg/input-limits.ts'
import type { VideoEncoder } from '../plan/video/encoders.ts'
import { whyNotAlike, whyNotAsExpected } from './check-result.ts'
import { capability, ffv1Size, planarFormat, type CodecSubject, testSize, testSource, trialPlan } from './trial-plan.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** Few, since lavapipe encodes ffv1 at 5 frames a second; enough to see pictures that refer to others. */
const frames = 12
/** At 4 Mbit/s every healthy encoder is far above. */
const leastSsim = 0.9

/** Encodes a moving test picture on a GPU, reads it back on the CPU and compares the two; why it failed, or null. */
export async function tryEncode(setting: TrialSetting, gpu: Gpu, subject: CodecSubject): Promise<string | null> {
  const { codec, bit_depth } = subject
  const size = codec === 'ffv1' ? ffv1Size : testSize
  const picture = { ...size, pixel_format: planarFormat(bit_depth), bit_depth }
  const encoder = subject.by as VideoEncoder
  const path = { decode: 'cpu', filter: 'cpu', encoder, proof: capability(subject, null) } as const
  const { video } = trialPlan({ gpu, path, picture, codec })
  const file = join(setting.folder, `${gpu.id.replaceAll(/\W/g, '-')}-${encoder}-${bit_depth}`)
  const { reason } = await trial(setting, {
    what: 'the test encode',
    args: [
      [...video.device, '-f', 'lavfi', '-i', testSource(size), '-frames:v', String(frames)],
      ['-filter:v', video.filters.join(',')],
      [...videoEncoderArgs(video.encoding), '-f', 'matroska', fileUrl(file)],
    ].flat(),
    timeout_ms: trialTimeoutMs,
  })
  if (reason !== null) return reason
  const format = codec === 'prores' ? 'yuv422p10le' : picture.pixel_format
  return (
    (await whyNotAsExpected(setting, { path: file, codec, picture: { ...size, frames } })) ??
    whyNotAlike(setting, { path: file, source: testSource(size), frames, format, least_ssim: leastSsim })
  )
}
