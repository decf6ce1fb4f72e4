import { afterAll } from 'bun:test'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

const video = (options: string) => ['-f', 'lavfi', '-i', `testsrc2=${options}`]
const sine = (options: string) => ['-f', 'lavfi', '-i', `sine=${options}`]
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p']
const small = 'size=320x180:rate=25:duration=1'
const fiveOne = 'pan=5.1(side)|FL=c0|FR=c0|FC=c0|LFE=c0|SL=c0|SR=c0'

/** Small real clips of about a second, by name: ffmpeg's arguments but the output. */
const recipes = {
  /** 320x180 at 25 frames a second, h264 and aac, 1 s. */
  'plain.mp4': [...video(small), ...sine('duration=1'), ...x264, '-c:a', 'aac', '-movflags', '+faststart'],
  /** The same with its index at the end. */
  'index-last.mp4': [...video(small), ...sine('duration=1'), ...x264, '-c:a', 'aac'],
  'plain.mkv': [...video(small), ...sine('duration=1'), ...x264, '-g', '5', '-c:a', 'aac'],
  /** Every frame at its own time: eight frames in 1 s, in bursts. */
  'variable-rate.mkv': [
    video(small),
    ['-vf', "select='lt(mod(n,12),3)+eq(n,7)+eq(n,20)'", '-fps_mode', 'vfr', ...x264],
  ].flat(),
  /** Carries a quarter turn for the player: 320x180 as coded, 180x320 as shown. */
  'turned.mp4': [...video(small), ...x264],
  'interlaced.mkv': [
    video('size=320x180:rate=50:duration=1'),
    ['-vf', 'tinterlace=interleave_top,setfield=tff', '-flags', '+ilme+ildct', ...x264, '-x264-params', 'tff=1'],
  ].flat(),
  /** 10 bits, PQ, BT.2020. */
  'hdr.mkv': [
    video('size=160x90:rate=10:duration=1'),
    [
      '-vf',
      'format=yuv420p10le,setparams=color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc:range=limited',
    ],
    ['-c:v', 'libx265', '-preset', 'ultrafast', '-x265-params', 'log-level=none'],
  ].flat(),
  /** Sound as film discs have it, which neither libopus nor plain AAC takes as it is, and a second track. */
  'two-sounds.mkv': [
    [...video('size=160x90:rate=10:duration=1'), ...sine('duration=1'), ...sine('frequency=880:duration=1')],
    ['-map', '0', '-map', '1', '-map', '2', ...x264, '-filter:a:0', fiveOne, '-c:a:0', 'ac3', '-c:a:1', 'pcm_s16le'],
    ['-metadata:s:a:0', 'language=deu', '-metadata', 'title=Two sounds'],
  ].flat(),
  'sound-only.mp4': [...sine('duration=1'), '-c:a', 'aac'],
  /** Long enough that a slow encode is still running at its first report. */
  'long.mp4': [...video('size=640x360:rate=25:duration=6'), ...x264],
} satisfies Record<string, string[]>

export type ClipName = keyof typeof recipes

/** Real clips for the tests of one file. */
export interface Clips {
  /** A folder that is removed when the file's tests have ended. */
  folder: string
  /** The path of a clip, which is made when it is first asked for. */
  path(name: ClipName): Promise<string>
}

/** Call it at the top of a test file. */
export function useClips(): Clips {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-clips-'))
  const made = new Map<ClipName, Promise<string>>()
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    path(name) {
      const clip = made.get(name) ?? makeClip(join(folder, name), recipes[name])
      made.set(name, clip)
      return clip
    },
  }
}

async function makeClip(path: string, recipe: readonly string[]): Promise<string> {
  const argv = ['ffmpeg', '-nostdin', '-hide_banner', '-loglevel', 'error', '-y', ...recipe, path]
  const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'ignore', stderr: 'pipe' })
  const [code, complaint] = await Promise.all([child.exited, child.stderr.text()])
  if (code !== 0) throw new Error(`ffmpeg could not make ${path}: ${complaint}`)
  if (basename(path) === 'turned.mp4') turn(path)
  return path
}

/** Writes a quarter turn into the first track's header; FFmpeg's option for it changed its name between 5 and 7. */
function turn(path: string): void {
  const bytes = readFileSync(path)
  // ISO 14496-12, 8.3.2: in version 0 the matrix is 40 bytes after the box's name; a, b, u, c, d follow as 16.16.
  const matrix = bytes.indexOf('tkhd') + 4 + 40
  const quarterTurn = [0, 0x10000, 0, -0x10000, 0]
  quarterTurn.forEach((value, position) => bytes.writeInt32BE(value, matrix + 4 * position))
  writeFileSync(path, bytes)
}
