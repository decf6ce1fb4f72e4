import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { presets } from '../src/contract/conversion.ts'
import { videoEncoderArgs } from '../src/pipeline/encode/encoder-args.ts'
import { quantizerOf } from '../src/pipeline/encode/quality.ts'
import { cpuEncoders, type VideoEncoder } from '../src/pipeline/plan/video/encoders.ts'

/**
 * Whether the same `quality` gives about the same picture on every encoder of the CPU: short clips at a few qualities, their
 * XPSNR and SSIM against the clip, and their bytes against those of libx264 at the same quality. docs/quality.md has a table
 * of it. `--clip` adds a film of one's own, two seconds of it. Needs an ffmpeg with the filter xpsnr, 7.1 or later.
 */
const { values } = parseArgs({
  options: {
    ffmpeg: { type: 'string', default: process.env['DARKSTREAM_TEST_FFMPEG'] ?? 'ffmpeg' },
    qualities: { type: 'string', default: '25,50,75' },
    preset: { type: 'string', default: 'fast' },
    clip: { type: 'string', multiple: true, default: [] },
  },
})
const preset = presets.find((name) => name === values.preset) ?? 'fast'
const size = { width: 640, height: 360 }
const encoders = [cpuEncoders.h264, cpuEncoders.hevc, cpuEncoders.av1, cpuEncoders.vp9] as const
const folder = mkdtempSync(join(tmpdir(), 'darkstream-quality-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

/** Detail that moves, soft shapes that turn up and vanish, and grain over slow colour. */
const drawn = {
  zoom: 'mandelbrot=size=640x360:rate=25:start_scale=0.6:end_scale=0.002:end_pts=60:start_x=-0.7436438870:start_y=-0.1318259042',
  life: 'life=s=320x180:mold=10:r=25:ratio=0.1:seed=7:death_color=#C83232:life_color=#00ff00,scale=640:360:flags=bicubic,gblur=1.2',
  grain: 'gradients=s=640x360:r=25:speed=0.05:seed=7:nb_colors=6,noise=alls=2:allf=t:all_seed=7',
}

const clips: [name: string, path: string][] = []
for (const [name, picture] of Object.entries(drawn)) {
  clips.push([name, await makeClip(name, ['-f', 'lavfi', '-i', picture])])
}
for (const [position, path] of values.clip.entries()) {
  clips.push([`film ${position + 1}`, await makeClip(`film-${position}`, ['-i', path])])
}

console.log(`2 s at 640 x 360, preset ${preset}; bytes against libx264's at the same quality`)
console.log(row(['clip', 'quality', 'encoder', 'told', 'kb/s', 'bytes', 'XPSNR', 'SSIM']))
for (const [name, clip] of clips) {
  for (const quality of values.qualities.split(',').map(Number)) {
    let first: number | undefined
    for (const encoder of encoders) {
      const result = await encode(encoder, quality, clip)
      const bytes = statSync(result).size
      first ??= bytes
      const { xpsnr, ssim } = await compare(result, clip)
      const told = String(quantizerOf(encoder, quality))
      const rate = ((bytes * 8) / 2000).toFixed(0)
      console.log(row([name, String(quality), encoder, told, rate, (bytes / first).toFixed(2), xpsnr, ssim]))
    }
  }
}

async function makeClip(name: string, input: string[]): Promise<string> {
  const path = join(folder, `${name}.mkv`)
  const shape = ['-t', '2', '-an', '-sn', '-vf', 'scale=640:360', '-fps_mode', 'passthrough', '-pix_fmt', 'yuv420p']
  await ffmpeg([...input, ...shape, '-c:v', 'ffv1', path])
  return path
}

async function encode(encoder: VideoEncoder, quality: number, clip: string): Promise<string> {
  const path = join(folder, 'result.mkv')
  const choice = { encoder, preset, bitrate: 0, quality, rate_hint: null, size, proof: null }
  await ffmpeg(['-i', clip, '-fps_mode', 'passthrough', ...videoEncoderArgs(choice), path])
  return path
}

/** Of luma, the mean of all frames. */
async function compare(result: string, clip: string): Promise<{ xpsnr: string; ssim: string }> {
  const graph = '[0:v]setpts=N,split[a][b];[1:v]setpts=N,split[c][d];[a][c]xpsnr;[b][d]ssim'
  const said = await ffmpeg(['-i', result, '-i', clip, '-lavfi', graph, '-f', 'null', '-'])
  const xpsnr = /XPSNR.* y: ([\d.]+|inf)/.exec(said)?.[1]
  const ssim = /SSIM Y:([\d.]+)/.exec(said)?.[1]
  if (xpsnr === undefined || ssim === undefined) throw new Error(`no XPSNR or SSIM in: ${said.slice(-2000)}`)
  return { xpsnr: Number(xpsnr).toFixed(1), ssim: Number(ssim).toFixed(4) }
}

/** Runs ffmpeg; what it wrote to standard error. */
async function ffmpeg(args: string[]): Promise<string> {
  const child = Bun.spawn([values.ffmpeg, '-nostdin', '-hide_banner', '-nostats', '-y', ...args], {
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    env: { ...process.env, SVT_LOG: '1' },
  })
  const [code, said] = await Promise.all([child.exited, child.stderr.text()])
  if (code !== 0) throw new Error(`ffmpeg failed: ${said.slice(-2000)}`)
  return said
}

function row(cells: string[]): string {
  return cells.map((cell, position) => (position === 2 ? cell.padEnd(11) : cell.padStart(8))).join(' ')
}
