/** What ffmpeg tells in the end of a stream that it has decoded. */
export interface DecodedStream {
  /** The input's number, and the stream's in it. */
  input: number
  index: number
  kind: 'video' | 'audio'
  packets: number
  frames: number
  /** Of each channel; null for a picture. */
  samples: number | null
}

/**
 * Reads a line of `-loglevel verbose`, which is the same from 5.1 to 9.0 but for what comes before, and the count of errors
 * that came with 6.1: `Input stream #0:1 (audio): 217 packets read (80000 bytes); 216 frames decoded; 0 decode errors
 * (221184 samples);`. Undefined for any other line.
 */
export function parseDecodedStream(line: string): DecodedStream | undefined {
  const match =
    /Input stream #(\d+):(\d+) \((video|audio)\): (\d+) packets read \(\d+ bytes\); (\d+) frames decoded;?(?: \d+ decode errors)?(?: \((\d+) samples\))?/.exec(
      line,
    )
  if (match === null) return undefined
  const [, input, index, kind, packets, frames, samples] = match
  return {
    input: Number(input),
    index: Number(index),
    kind: kind === 'video' ? 'video' : 'audio',
    packets: Number(packets),
    frames: Number(frames),
    samples: samples === undefined ? null : Number(samples),
  }
}
