import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from './run.ts'

/** A file as a player shows it, by seconds on its own clock, which all its tracks share. */
export interface Watched {
  pictures: Picture[]
  /** Figures of the mastering display and the light levels, in FFmpeg's words; null where no picture carries them. */
  hdr: { mastering: string | null; light_level: string | null }
  /** One a sound track, in the file's order. */
  sounds: Heard[]
}

/** One picture of a numbered film, upright. */
export interface Picture {
  seconds: number
  /** The number written in it, modulo 256; null where none is legible. */
  number: number | null
  is_white: boolean
  /** The mean red, green and blue below the number, 0 to 255. */
  color: [red: number, green: number, blue: number]
}

/** A sound track. */
export interface Heard {
  /** Of the first sample and after the last one; the first may be what a codec begins with, where its container cannot say. */
  start: number
  end: number
  /** When each beep begins. */
  beeps: number[]
  /** Root mean square of each channel, 1 being the loudest that there is. */
  levels: number[]
}

/** What the pictures are shrunk to: the fields of the number, and three rows of what is below. */
const [columns, rows] = [8, 4]
const hertz = 48_000
const microseconds = 1_000_000

/** Decodes a file to its end as a player does: edit lists, turns and what a codec is to skip are heeded. */
export async function watch(
  ffmpeg: string,
  path: string,
  channels: readonly number[],
  folder: string,
): Promise<Watched> {
  const times = join(folder, 'times')
  const tracks = channels.map((count, at) => ({
    count,
    at,
    samples: join(folder, `sound-${at}`),
    frames: join(folder, `frames-${at}`),
  }))
  // Newer versions log from many threads at once, so that lines run into each other: what counts is written to files.
  const clock = `settb=1/${microseconds},metadata=add:key=seen:value=1,metadata=print:file=${times}`
  const filters = `showinfo,${clock},scale=${columns}:${rows}:flags=area,format=rgb24`
  const { stdout, stderr } = await run(
    [
      [ffmpeg, '-nostdin', '-hide_banner', '-nostats', '-y', '-i', path],
      ['-map', '0:V:0', '-vf', filters, '-fps_mode', 'passthrough', '-f', 'rawvideo', 'pipe:1'],
      ...tracks.map(({ at, samples, frames }) => [
        ['-map', `0:a:${at}`, '-af', `aresample=${hertz}:async=1:first_pts=0`, '-f', 's16le', samples],
        ['-map', `0:a:${at}`, '-c:a', 'pcm_s16le', '-f', 'framecrc', frames],
      ]),
    ].flat(3),
    folder,
  )
  const sounds = tracks.map(({ count, samples, frames }) => ({
    ...spanOf(readFileSync(frames, 'utf8')),
    ...hear(readFileSync(samples), count),
  }))
  return { pictures: read(stdout, timesOf(readFileSync(times, 'utf8'))), hdr: hdrOf(stderr), sounds }
}

/** The times that the filter `metadata` prints. */
function timesOf(text: string): number[] {
  return [...text.matchAll(/^frame:\d+ +pts:(-?\d+)/gm)].map((match) => Number(match[1]) / microseconds)
}

function hdrOf(log: string): Watched['hdr'] {
  return {
    mastering: /side data - mastering display.*: (has_primaries.*)/i.exec(log)?.[1] ?? null,
    light_level: /side data - content light level.*: (MaxCLL.*)/i.exec(log)?.[1] ?? null,
  }
}

/** From when to when there is sound, as the muxer `framecrc` tells: stream, dts, pts, duration, … */
function spanOf(text: string): { start: number; end: number } {
  const base = /^#tb 0: (\d+)\/(\d+)/m.exec(text)
  const tick = Number(base?.[1] ?? 1) / Number(base?.[2] ?? 1)
  const frames = [...text.matchAll(/^0, +-?\d+, +(-?\d+), +(\d+),/gm)].map(([, pts, duration]) => ({
    start: Number(pts) * tick,
    end: (Number(pts) + Number(duration)) * tick,
  }))
  return { start: frames[0]?.start ?? 0, end: frames.at(-1)?.end ?? 0 }
}

function read(pixels: Buffer, times: readonly number[]): Picture[] {
  const bytes = columns * rows * 3
  const pictures = times.map((seconds, at) => {
    const all = pixels.subarray(at * bytes, (at + 1) * bytes)
    const fields = Array.from({ length: columns }, (_, field) => all[field * 3 + 1] ?? 0)
    return { seconds, fields, color: colorOf(all.subarray(columns * 3)) }
  })
  const ink = middle(pictures.flatMap(({ fields }) => fields))
  const white = middle(pictures.map(({ color }) => Math.min(...color)))
  return pictures.map(({ seconds, fields, color }) => ({
    seconds,
    number: ink === null ? null : fields.reduce((sum, field, bit) => sum + (field > ink ? 2 ** bit : 0), 0),
    is_white: white !== null && Math.min(...color) > white,
    color,
  }))
}

function colorOf(pixels: Buffer): Picture['color'] {
  const part = (first: number) => mean([...pixels].filter((_, at) => at % 3 === first))
  return [part(0), part(1), part(2)]
}

/** What lies between the dark and the bright ones; null where all are alike. */
function middle(values: readonly number[]): number | null {
  const [least, most] = [Math.min(...values), Math.max(...values)]
  return most - least < 30 ? null : (least + most) / 2
}

function hear(bytes: Buffer, channels: number): Pick<Heard, 'beeps' | 'levels'> {
  const samples = new Int16Array(bytes.buffer, bytes.byteOffset, Math.floor(bytes.length / 2))
  const squares = Array.from({ length: channels }, () => 0)
  let loudest = 0
  samples.forEach((sample, at) => {
    squares[at % channels] = (squares[at % channels] ?? 0) + sample * sample
    if (at % channels === 0) loudest = Math.max(loudest, Math.abs(sample))
  })
  const length = samples.length / channels
  return {
    beeps: loudest < 300 ? [] : beepsOf(samples, channels, loudest * 0.3),
    levels: squares.map((sum) => Math.sqrt(sum / Math.max(1, length)) / 32_768),
  }
}

/** A beep begins where the first channel is loud after a tenth of a second of quiet. */
function beepsOf(samples: Int16Array, channels: number, threshold: number): number[] {
  const beeps: number[] = []
  let loudAt = -Infinity
  for (let at = 0; at * channels < samples.length; at++) {
    if (Math.abs(samples[at * channels] ?? 0) < threshold) continue
    if (at - loudAt > hertz / 10) beeps.push(at / hertz)
    loudAt = at
  }
  return beeps
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
