import type { Gpu } from '../../contract/gpu.ts'
import { fileUrl, inputLimits } from '../ffmpeg/input-limits.ts'
import { isShaderCodec } from '../plan/video/encoders.ts'
import { ssimProblem } from './check-result.ts'
import type { ProofClip } from './proof-clips.ts'
import { readFrames } from './read-frames.ts'
import { trialPlan } from './trial-plan.ts'
import type { TrialSetting } from './trial.ts'

/** How a clip is to be decoded. */
export interface DecodeOptions {
  /** How often after the first time; 0 for once. */
  loops: number
  stall_timeout_ms: number
}

/** Decoders of one codec differ by no more than a rounding. */
const leastSsim = 0.99

/** Decodes a clip on a GPU and compares every frame with the CPU's; why it failed, or null. */
export async function tryDecode(
  setting: TrialSetting,
  gpu: Gpu,
  clip: ProofClip,
  { loops, stall_timeout_ms }: DecodeOptions,
): Promise<string | null> {
  const { video } = trialPlan({ gpu, path: { decode: 'vulkan', filter: 'cpu' }, picture: clip.video, codec: 'h264' })
  const input = ['-stream_loop', String(loops), ...inputLimits, '-i', fileUrl(clip.path)]
  const download = `hwdownload,format=${clip.format}`
  const graph = `[0:v]${download}[gpu];[1:v]format=${clip.format}[cpu];[gpu][cpu]ssim`
  const decoded = await readFrames(setting, {
    args: [
      [...video.device, ...video.decode, ...input],
      clip.is_exact ? ['-filter:v', download] : [...input, '-filter_complex', graph],
    ].flat(),
    stall_timeout_ms,
  })
  if (decoded.reason !== null) return decoded.reason
  const expected = Array.from({ length: loops + 1 }, () => clip.hashes).flat()
  if (decoded.hashes.length !== expected.length) {
    return `${decoded.hashes.length} of ${expected.length} frames came out`
  }
  if (!clip.is_exact) return ssimProblem(decoded.log, leastSsim)
  const wrong = decoded.hashes.findIndex((hash, position) => hash !== expected[position])
  return wrong < 0 ? null : `frame ${wrong + 1} came out wrong`
}

/** What a device has proved to decode, and how many at a time shall be tried at most. */
export interface SlotsRequest {
  clips: readonly ProofClip[]
  most: number
  stall_timeout_ms: number
}

/** A driver may hang only when several decode at a time, and then not at once. */
const videoLoops = 3

/** How many decodes side by side all end well, doubled from one to `most`; 0 when there is no clip that it decodes. */
export async function countDecodeSlots(setting: TrialSetting, gpu: Gpu, request: SlotsRequest): Promise<number> {
  const byVideo = request.clips.filter(({ video }) => !isShaderCodec(video.codec))
  const clips = byVideo.length > 0 ? byVideo : request.clips
  const options = { loops: byVideo.length > 0 ? videoLoops : 0, stall_timeout_ms: request.stall_timeout_ms }
  let good = Math.min(1, clips.length)
  while (good > 0 && good < request.most) {
    const next = Math.min(good * 2, request.most)
    const decodes = Array.from({ length: next }, (_, number) => clips[number % clips.length] ?? [])
    const reasons = await Promise.all(decodes.flat().map((clip) => tryDecode(setting, gpu, clip, options)))
    if (reasons.some((reason) => reason !== null)) break
    good = next
  }
  return good
}
