import { readFileSync, writeFileSync } from 'node:fs'

/** Where the description of a film's pictures lies in an mp4, and how far the boxes in each box are from its beginning. */
const wayIn = [
  ['moov', 8],
  ['trak', 8],
  ['mdia', 8],
  ['minf', 8],
  ['stbl', 8],
  ['stsd', 16],
  ['hev1', 86],
] as const

/**
 * Puts what mp4 has for an HDR film's screen and light into one whose first track is HEVC and whose index is at its end:
 * `mdcv` and `clli`, as ffmpeg from 6 on writes them, and 5.1 only reads. 1000 cd/m², 987 and 321.
 */
export function addLightBoxes(path: string): void {
  const file = readFileSync(path)
  const boxes = Buffer.concat([
    box('mdcv', [13_250, 34_500, 7500, 3000, 34_000, 16_000, 15_635, 16_450], [10_000_000, 50]),
    box('clli', [987, 321], []),
  ])
  let [start, end] = [0, file.length]
  for (const [name, inside] of wayIn) {
    const at = findBox(file, name, start, end)
    const size = file.readUInt32BE(at)
    file.writeUInt32BE(size + boxes.length, at)
    ;[start, end] = [at + inside, at + size]
  }
  writeFileSync(path, Buffer.concat([file.subarray(0, end), boxes, file.subarray(end)]))
}

function findBox(file: Buffer, name: string, start: number, end: number): number {
  for (let at = start; at < end; at += file.readUInt32BE(at)) {
    if (file.toString('latin1', at + 4, at + 8) === name) return at
  }
  throw new Error(`no ${name} in the mp4`)
}

function box(name: string, shorts: readonly number[], longs: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 + shorts.length * 2 + longs.length * 4)
  bytes.writeUInt32BE(bytes.length)
  bytes.write(name, 4, 'latin1')
  for (const [index, value] of shorts.entries()) bytes.writeUInt16BE(value, 8 + index * 2)
  for (const [index, value] of longs.entries()) bytes.writeUInt32BE(value, 8 + shorts.length * 2 + index * 4)
  return bytes
}
