import { type VideoCodec, videoCodecs } from '../../contract/conversion.ts'
import type { Gpu } from '../../contract/gpu.ts'
import { gpuEncoders } from '../plan/video/encoders.ts'
import { tryEncode } from './encode-trial.ts'
import type { Engine } from './engines.ts'
import { capability, type CodecSubject, type GpuProof } from './trial-plan.ts'
import type { TrialSetting } from './trial.ts'

/**
 * Tries each encoder of an API that this ffmpeg lists, one after the other; undefined when it lists none. They only
 * encode: what they decode and scale is left to Vulkan and the CPU.
 */
export async function proveEngineGpu(
  setting: TrialSetting,
  engine: Engine,
  listed: ReadonlySet<string>,
): Promise<GpuProof | undefined> {
  const gpu: Gpu = { ...engine, capabilities: [], decode_slots: 0 }
  for (const subject of engineSubjects(engine.api)) {
    if (!listed.has(subject.by)) continue
    gpu.capabilities.push(capability(subject, await tryEncode(setting, gpu, subject)))
  }
  if (gpu.capabilities.length === 0) return undefined
  return { gpu, has_failed: gpu.capabilities.some(({ proved }) => !proved) }
}

/** An engine whose every capability failed for one reason. */
export function unprovedEngineGpu(engine: Engine, reason: string): Gpu {
  const capabilities = engineSubjects(engine.api).map((subject) => capability(subject, reason))
  return { ...engine, capabilities, decode_slots: 0 }
}

/** All that an API is tried at, as far as ffmpeg has it. */
export function engineSubjects(api: Engine['api']): CodecSubject[] {
  return videoCodecs.flatMap((codec) => {
    const by = gpuEncoders[api][codec]
    if (by === undefined) return []
    return depthsOf(codec).map((bit_depth) => ({ operation: 'encode', codec, bit_depth, by }))
  })
}

function depthsOf(codec: VideoCodec): number[] {
  if (codec === 'prores') return [10]
  return codec === 'hevc' || codec === 'av1' ? [8, 10] : [8]
}
