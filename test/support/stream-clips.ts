import { afterAll } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as v from 'valibot'
import type { ConversionSettings } from '../../src/contract/conversion.ts'
import { convert } from '../../src/pipeline/convert.ts'
import { readMediaInfo } from '../../src/pipeline/probe/ffprobe.ts'
import type { MediaInfo } from '../../src/pipeline/probe/media-info.ts'
import { findTools } from '../../src/pipeline/tools.ts'
import { settings } from '../pipeline/samples.ts'
import { conversionIn } from './conversion.ts'

/** What a test of streams works with. */
export interface StreamStudio {
  /** A folder that is removed when the file's tests have ended. */
  folder: string
  /** Runs the system's ffmpeg and gives its path of the last argument. */
  make(name: string, args: readonly string[]): Promise<string>
  /** Converts for real, and reads the result back. */
  convert(program: string, source: string, wanted?: Partial<ConversionSettings>): Promise<ConvertedStreams>
  /** Decibels of each channel of a sound track, by its number among them; minus infinity for silence. */
  levels(path: string, track: number): Promise<number[]>
  /** The hashes of a sound track's packets. */
  packets(path: string, track: number): Promise<string[]>
  /** The first subtitle track as srt, and the seconds that each packet of it lasts. */
  subtitles(path: string): Promise<{ srt: string; durations: string[] }>
  /** Of the first sound track: its highest peak in decibels, and the seconds at which it begins to be heard. */
  loudness(path: string): Promise<{ peak: number; starts: number }>
}

/** A result and what is in it. */
export interface ConvertedStreams {
  path: string
  notes: string[]
  info: MediaInfo
  /** The tags of the file, and of each stream in its order, by ffprobe of the system. */
  tags: Record<string, string>
  stream_tags: Record<string, string>[]
  /** Seconds at which each chapter begins, and its title. */
  chapters: [seconds: number, title: string][]
}

const Tags = v.optional(v.record(v.string(), v.string()), {})
const Tagged = v.object({
  format: v.object({ tags: Tags }),
  streams: v.array(v.object({ tags: Tags })),
  chapters: v.array(v.object({ start_time: v.string(), tags: Tags })),
})
const { signal } = new AbortController()

/** A picture of a second in grey, which takes no time to encode. */
export const picture = ['-f', 'lavfi', '-i', 'color=gray:size=64x64:rate=25:duration=1']
/** What encodes it as quickly. */
export const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']

/** Call it at the top of a test file. */
export function useStreamStudio(): StreamStudio {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-streams-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  let count = 0
  return {
    folder,
    async make(name, args) {
      const path = join(folder, name)
      await run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-y', ...args, path])
      return path
    },
    async convert(program, source_path, wanted = {}) {
      const tools = await findTools({ ffmpeg_path: program, environment: process.env, signal })
      const asked = settings({ preset: 'ultrafast', bitrate: 100_000, ...wanted })
      const request = conversionIn(join(folder, `${++count}`), { source_path, settings: asked, tools })
      const { staging_path: path } = request
      const { notes } = await convert(request)
      const { info } = await readMediaInfo({ path, tools, environment: process.env, timeout_ms: 20_000, signal })
      return { path, notes, info, ...(await readTags(path)) }
    },
    async levels(path, track) {
      const said = await measure(path, track, 'astats=measure_overall=none')
      return [...said.matchAll(/RMS level dB: (\S+)/g)].map(([, level]) =>
        level === '-inf' ? -Infinity : Number(level),
      )
    },
    async packets(path, track) {
      const args = ['-map', `0:a:${track}`, '-c', 'copy', '-f', 'framemd5', '-']
      const { out } = await run(['ffmpeg', '-nostdin', '-loglevel', 'error', '-i', path, ...args])
      return out.split('\n').flatMap((line) => (line.startsWith('#') ? [] : line.split(',').slice(-1)))
    },
    async subtitles(path) {
      const { out: srt } = await run(['ffmpeg', '-v', 'error', '-i', path, '-map', '0:s:0', '-f', 'srt', '-'])
      const show = ['-select_streams', 's:0', '-show_entries', 'packet=duration_time', '-of', 'default=nk=1:nw=1']
      const { out } = await run(['ffprobe', '-v', 'error', ...show, path])
      return { srt, durations: out.trim().split(/\s+/) }
    },
    async loudness(path) {
      const said = await measure(path, 0, 'silencedetect=noise=-20dB:duration=0.2,astats=measure_perchannel=none')
      const [, peak] = /Peak level dB: (\S+)/.exec(said) ?? []
      const [, starts] = /silence_end: (\S+)/.exec(said) ?? []
      return { peak: Number(peak), starts: Number(starts) }
    },
  }
}

async function measure(path: string, track: number, filter: string): Promise<string> {
  const args = ['-map', `0:a:${track}`, '-af', filter, '-f', 'null', '-']
  return (await run(['ffmpeg', '-nostdin', '-hide_banner', '-nostats', '-i', path, ...args])).said
}

async function readTags(path: string) {
  const show = ['-show_format', '-show_streams', '-show_chapters', '-of', 'json']
  const { out } = await run(['ffprobe', '-v', 'error', ...show, path])
  const { format, streams, chapters } = v.parse(Tagged, JSON.parse(out))
  return {
    tags: format.tags,
    stream_tags: streams.map((stream) => stream.tags),
    chapters: chapters.map(({ start_time, tags }): [number, string] => [Number(start_time), tags['title'] ?? '']),
  }
}

async function run(argv: string[]): Promise<{ out: string; said: string }> {
  const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const [code, out, said] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()])
  if (code !== 0) throw new Error(`${argv.join(' ')}: ${said}`)
  return { out, said }
}
