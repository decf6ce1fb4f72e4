import { join } from 'node:path'
import { type VideoCodec, videoCodecs } from '../../contract/conversion.ts'
import { videoEncoderArgs } from '../encode/encoder-args.ts'
import { fileUrl } from '../ffmpeg/input-limits.ts'
import { type CpuEncoder, cpuEncoders } from '../plan/video/encoders.ts'
import type { Tools } from '../tools.ts'
import { whyNotAsExpected } from './check-result.ts'
import { inTemporaryFolder } from './temporary-folder.ts'
import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** What a test encode on the CPU showed of one codec. */
export interface EncoderProof {
  codec: VideoCodec | 'aac' | 'opus'
  encoder: CpuEncoder | 'aac' | 'libopus'
  ok: boolean
  /** Why not, as a sentence; null when it passed. */
  reason: string | null
}

const picture = { width: 320, height: 180, frames: 10 }
const audioTrials = [
  { codec: 'aac', encoder: 'aac' },
  { codec: 'opus', encoder: 'libopus' },
] as const

/**
 * Proves by a real short encode of each codec, whose result is read back, what this ffmpeg can do on the CPU; a list of
 * encoders only tells what was compiled in. Rejects only when the signal aborts.
 */
export async function proveEncoders(
  tools: Tools,
  environment: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<EncoderProof[]> {
  return inTemporaryFolder({ prefix: 'darkstream-detect-' }, (folder) =>
    proveIn({ tools, environment, signal, folder }),
  )
}

async function proveIn(setting: TrialSetting): Promise<EncoderProof[]> {
  const prove = async (codec: string, args: readonly string[]) => {
    const path = join(setting.folder, codec)
    const all = ['-f', 'lavfi', '-i', ...args, '-f', 'matroska', fileUrl(path)]
    const { reason } = await trial(setting, { what: 'the test encode', args: all, timeout_ms: trialTimeoutMs })
    const isSound = codec === 'aac' || codec === 'opus'
    return reason ?? whyNotAsExpected(setting, { path, codec, picture: isSound ? null : picture })
  }
  const proofs: EncoderProof[] = []
  for (const codec of videoCodecs) {
    const encoder = cpuEncoders[codec]
    const reason = await prove(codec, videoArgs(codec))
    proofs.push({ codec, encoder, ok: reason === null, reason })
  }
  for (const { codec, encoder } of audioTrials) {
    const reason = await prove(codec, ['sine=sample_rate=48000', '-t', '0.4', '-c:a', encoder, '-b:a', '96000'])
    proofs.push({ codec, encoder, ok: reason === null, reason })
  }
  return proofs
}

/** A lavfi source and the output options. */
function videoArgs(codec: VideoCodec): string[] {
  const { width, height, frames } = picture
  const choice = { preset: 'ultrafast', bitrate: 500_000, rate_hint: null, size: picture, proof: null } as const
  return [
    `testsrc2=size=${width}x${height}:rate=25`,
    '-frames:v',
    String(frames),
    '-pix_fmt',
    codec === 'prores' ? 'yuv422p10le' : 'yuv420p',
    ...videoEncoderArgs({ ...choice, encoder: cpuEncoders[codec] }),
  ]
}
