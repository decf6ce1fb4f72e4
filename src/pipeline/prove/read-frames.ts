import { type TrialSetting, trial, trialTimeoutMs } from './trial.ts'

/** Frames to decode. */
export interface FramesRequest {
  /** Input options, input and filters. */
  args: readonly string[]
  /** Milliseconds without a frame after which it counts as a hang. */
  stall_timeout_ms: number
}

/** What was decoded. */
export interface DecodedFrames {
  /** MD5 of each frame. */
  hashes: string[]
  /** Why it did not come to its end; null when it did. */
  reason: string | null
  /** What ffmpeg wrote to standard error in the end. */
  log: string
}

/** Decodes to the end, or until it stands still. */
export async function readFrames(setting: TrialSetting, request: FramesRequest): Promise<DecodedFrames> {
  const hashes: string[] = []
  const { stall_timeout_ms } = request
  const { reason, result } = await trial(setting, {
    what: 'decoding',
    // Each line at once, so that a hang shows.
    args: [...request.args, '-fps_mode:v', 'passthrough', '-flush_packets', '1', '-f', 'framemd5', '-'],
    timeout_ms: 4 * trialTimeoutMs,
    level: 'info',
    stall: { timeout_ms: stall_timeout_ms, seen: () => hashes.length },
    on_line: (line) => {
      // `0,          0,          0,        1,   345600, ad7863e5fd5392913aa798ce1ee65ef7`
      const hash = /^0,.*\s([0-9a-f]{32})$/.exec(line)?.[1]
      if (hash !== undefined) hashes.push(hash)
    },
  })
  const isHang = result?.killed_for === 'stall'
  return { hashes, reason: isHang ? hangReason(hashes.length) : reason, log: result?.stderr_tail ?? '' }
}

function hangReason(frames: number): string {
  if (frames === 0) return 'decoding did not even begin (a hang of the driver)'
  return `decoding stood still after ${frames} ${frames === 1 ? 'frame' : 'frames'} (a hang of the driver)`
}
