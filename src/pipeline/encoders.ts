import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type VideoCodec, videoCodecs } from '../contract/conversion.ts'
import { ConversionError } from '../contract/failure.ts'
import { encodeFailure, isErrorLine } from './encode-failure.ts'
import { videoEncoderArgs } from './ffmpeg-args.ts'
import { fileUrl } from './input-limits.ts'
import { cpuEncoders, type VideoEncoder } from './plan.ts'
import { readMediaInfo } from './ffprobe.ts'
import { runProcess } from './process.ts'
import type { Tools } from './tools.ts'

/** What a test encode showed of one codec. */
export interface EncoderProof {
  codec: VideoCodec | 'aac' | 'opus'
  encoder: VideoEncoder | 'aac' | 'libopus'
  ok: boolean
  /** Why not, as a sentence; null when it passed. */
  reason: string | null
}

const trialTimeoutMs = 30_000
const trialFrames = 10
const audioTrials = [
  { codec: 'aac', encoder: 'aac' },
  { codec: 'opus', encoder: 'libopus' },
] as const

/**
 * Proves by a real short encode of each codec, whose result is read back, what this ffmpeg can do; a list of encoders
 * only tells what was compiled in. Rejects only when the signal aborts.
 */
export async function proveEncoders(
  tools: Tools,
  environment: Record<string, string | undefined>,
  signal: AbortSignal,
): Promise<EncoderProof[]> {
  const folder = await mkdtemp(join(tmpdir(), 'darkstream-detect-'))
  try {
    const proofs: EncoderProof[] = []
    const trial = { tools, environment, signal, folder }
    for (const codec of videoCodecs) {
      const encoder = cpuEncoders[codec]
      const video = { encoder, preset: 'ultrafast', bitrate: 500_000, rate_hint: null } as const
      const source = 'testsrc2=size=320x180:rate=25'
      const args = ['-frames:v', String(trialFrames), '-pix_fmt', 'yuv420p', ...videoEncoderArgs(video)]
      proofs.push({ codec, encoder, ...(await prove(trial, codec, [source, ...args])) })
    }
    for (const { codec, encoder } of audioTrials) {
      const args = ['-t', '0.4', '-c:a', encoder, '-b:a', '96000']
      proofs.push({ codec, encoder, ...(await prove(trial, codec, ['sine=sample_rate=48000', ...args])) })
    }
    return proofs
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

interface Trial {
  tools: Tools
  environment: Record<string, string | undefined>
  signal: AbortSignal
  folder: string
}

type Verdict = Pick<EncoderProof, 'ok' | 'reason'>

/** `args` are a lavfi source and the output options. */
async function prove(trial: Trial, codec: string, args: readonly string[]): Promise<Verdict> {
  const path = join(trial.folder, codec)
  const errors: string[] = []
  const result = await runProcess({
    ...trial,
    argv: [
      [trial.tools.ffmpeg_path, '-nostdin', '-hide_banner', '-loglevel', 'level+warning', '-nostats', '-y'],
      ['-f', 'lavfi', '-i', ...args, '-f', 'matroska', fileUrl(path)],
    ].flat(),
    timeout_ms: trialTimeoutMs,
    on_error_line: (line) => {
      if (isErrorLine(line)) errors.push(line)
    },
  })
  trial.signal.throwIfAborted()
  const failure = encodeFailure({
    result,
    error_lines: errors,
    position_seconds: null,
    error_seconds: null,
    duration_seconds: null,
    timeout_ms: trialTimeoutMs,
    stall_timeout_ms: trialTimeoutMs,
  })
  if (failure)
    return { ok: false, reason: failure.message.replace('damaged: it cannot be decoded', 'the test encode failed') }
  return readBack(trial, path, codec)
}

async function readBack(trial: Trial, path: string, codec: string): Promise<Verdict> {
  try {
    const { info } = await readMediaInfo({ ...trial, path, timeout_ms: trialTimeoutMs }, ['-count_packets'])
    const [stream] = info.streams
    if (stream?.codec !== codec) return { ok: false, reason: `the test encode gave ${stream?.codec ?? 'nothing'}` }
    if (stream.kind === 'video' && stream.frame_count !== trialFrames) {
      return { ok: false, reason: `the test encode gave ${stream.frame_count ?? 0} of ${trialFrames} frames` }
    }
    return { ok: true, reason: null }
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error
    return { ok: false, reason: `the test encode cannot be read: ${error.message}` }
  }
}
