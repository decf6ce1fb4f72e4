import { fours } from '../support/hostile-media.ts'

/** The first so much of a file. */
export function cutAt(share: number) {
  return (bytes: Buffer): Uint8Array => bytes.subarray(0, Math.floor(bytes.length * share))
}

/** What is left of a file whose first bytes are gone. */
export function withoutFirst(count: number) {
  return (bytes: Buffer): Uint8Array => bytes.subarray(count)
}

/** 64 wrong bytes at each of these places, as shares of the length. */
export function rotten(...places: readonly number[]) {
  return (bytes: Buffer): Uint8Array => {
    for (const place of places)
      bytes.fill(0xa5, Math.floor(bytes.length * place), Math.floor(bytes.length * place) + 64)
    return bytes
  }
}

/** ISO 14496-12, 8.3.2: a, b, u, c, d of the matrix as 16.16. A player turns clockwise by it. */
const matrices = {
  90: [0, 1, 0, -1, 0],
  180: [-1, 0, 0, 0, -1],
  270: [0, -1, 0, 1, 0],
} as const

/** Writes a turn for the player into an mp4's first track; FFmpeg's option for it changed its name between 5 and 7. */
export function turned(degrees: keyof typeof matrices) {
  return (bytes: Buffer): Uint8Array => {
    // In version 0 of the box the matrix is 40 bytes after its name.
    const at = bytes.indexOf('tkhd') + 4 + 40
    matrices[degrees].forEach((value, place) => bytes.writeInt32BE(value * 0x10000, at + 4 * place))
    return bytes
  }
}

/** Makes of an mp4's last sound track one of a camera's measurements, as GoPro writes them. */
export function soundBecomesData(bytes: Buffer): Uint8Array {
  const handler = bytes.lastIndexOf('soun')
  bytes.write('meta', handler, 'latin1')
  bytes.write('gpmd', bytes.indexOf('stsd', handler) + 16, 'latin1')
  return bytes
}

/** One picture of a Blu-ray's subtitles, a bar of one colour from 0.3 s to 0.9 s, as a `.sup` file. */
export function pictureSubtitles(width: number, height: number): Buffer {
  const [wide, high] = [64, 8]
  // A run of 64 or more: 0, then 11 and 14 bits of length, then the colour; a line ends with two zeros.
  const line = [0, 0xc0, wide, 1, 0, 0]
  const pixels = Array.from({ length: high }, () => line).flat()
  const place = [...two(width / 2 - wide / 2), ...two(height - 16)]
  const shown = [...two(width), ...two(height), 0x10, ...two(0), 0x80, 0, 0, 1, ...two(0), 0, 0, ...place]
  const gone = [...two(width), ...two(height), 0x10, ...two(1), 0, 0, 0, 0]
  const window = [1, 0, ...place, ...two(wide), ...two(high)]
  return Buffer.concat([
    segment(0.3, 0x16, shown),
    segment(0.3, 0x17, window),
    segment(0.3, 0x14, [0, 0, 1, 235, 128, 128, 255]),
    segment(0.3, 0x15, [...two(0), 0, 0xc0, 0, ...two(pixels.length + 4), ...two(wide), ...two(high), ...pixels]),
    segment(0.3, 0x80, []),
    segment(0.9, 0x16, gone),
    segment(0.9, 0x17, window),
    segment(0.9, 0x80, []),
  ])
}

function segment(seconds: number, type: number, content: readonly number[]): Buffer {
  const head = Buffer.concat([Buffer.from('PG'), fours(seconds * 90_000, 0)])
  return Buffer.concat([head, Buffer.from([type, ...two(content.length), ...content])])
}

function two(value: number): [number, number] {
  return [value >> 8, value & 255]
}
