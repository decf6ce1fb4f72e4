import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadConfig } from '../src/config/load.ts'
import { ffmpegArgs } from '../src/pipeline/encode/ffmpeg-args.ts'
import { planConversion } from '../src/pipeline/plan.ts'
import { probeSource } from '../src/pipeline/probe.ts'
import { findTools } from '../src/pipeline/tools.ts'

/**
 * What the queue, the checks and the publication cost: `darkstream start --once` over a folder of clips, against a plain
 * shell loop of the very same ffmpeg commands at the same concurrency, in turn, in one run.
 */
const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '5' },
    size: { type: 'string', default: '640x360' },
    concurrency: { type: 'string', default: String(availableParallelism()) },
  },
})
const base = mkdtempSync(join(tmpdir(), 'darkstream-overhead-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
const [source, looped, converted] = ['source', 'looped', 'converted'].map((name) => join(base, name)) as [
  string,
  string,
  string,
]
for (const folder of [source, looped]) mkdirSync(folder)

await makeClips()
const commands = await loopCommands()
console.log(
  `${values.clips} clips of ${values.seconds} s at ${values.size}, ${values.concurrency} at a time, ${availableParallelism()} cores`,
)

const loopSeconds = await time('shell loop', [
  'xargs',
  '-0',
  '-a',
  commands,
  '-P',
  values.concurrency,
  '-n',
  '1',
  'sh',
  '-c',
])
const ourSeconds = await time('darkstream', [
  'dist/darkstream',
  'start',
  source,
  converted,
  '--once',
  '--concurrency',
  values.concurrency,
])
const results = readdirSync(converted).filter((name) => name.endsWith('.mp4')).length
const ratio = ourSeconds / loopSeconds
console.log(`results: ${results} of ${values.clips}`)
console.log(
  `darkstream / shell loop: ${ratio.toFixed(3)} (${((1000 * (ourSeconds - loopSeconds)) / Number(values.clips)).toFixed(0)} ms of wall time a clip)`,
)
process.exit(results === Number(values.clips) ? 0 : 1)

/** Clips of eight kinds, each as often as it takes; all with sound, all an hour old. */
async function makeClips(): Promise<void> {
  const anHourAgo = new Date(Date.now() - 3_600_000)
  for (let number = 0; number < Number(values.clips); number++) {
    const path = join(source, `clip ${String(number).padStart(4, '0')}.mkv`)
    if (number < 8) {
      const picture = `testsrc2=size=${values.size}:rate=${[24, 25, 30, 50][number % 4]}:duration=${values.seconds}`
      const sound = `sine=frequency=${220 * (number + 1)}:duration=${values.seconds}`
      const inputs = ['-f', 'lavfi', '-i', picture, '-f', 'lavfi', '-i', sound]
      const noise = ['-vf', `noise=alls=${number * 3}:allf=t`]
      await run([
        'ffmpeg',
        '-v',
        'error',
        '-nostdin',
        ...inputs,
        ...noise,
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-c:a',
        'aac',
        path,
      ])
    } else copyFileSync(join(source, `clip ${String(number % 8).padStart(4, '0')}.mkv`), path)
    utimesSync(path, anHourAgo, anHourAgo)
  }
}

/** The commands that darkstream runs for these clips, as NUL-ended shell lines. */
async function loopCommands(): Promise<string> {
  const signal = AbortSignal.timeout(600_000)
  const tools = await findTools({ ffmpeg_path: 'ffmpeg', environment: process.env, signal })
  const settings = loadConfig({ environment: {}, flags: {} }).config.conversion
  const lines: string[] = []
  for (const name of readdirSync(source)) {
    const input = join(looped, name)
    symlinkSync(join(source, name), input)
    const info = await probeSource({
      tools,
      environment: process.env,
      signal,
      timeout_ms: 60_000,
      path: input,
      source_path: input,
    })
    const args = ffmpegArgs(planConversion(info, settings), input, join(looped, `${name}.mp4`))
    lines.push(`${[tools.ffmpeg_path, ...args].map((word) => `'${word}'`).join(' ')} >/dev/null 2>&1\0`)
  }
  const file = join(base, 'commands')
  writeFileSync(file, lines.join(''))
  return file
}

/** Seconds of wall time that a command takes, with what it and its children spent on the CPU. */
async function time(name: string, argv: string[]): Promise<number> {
  const started = performance.now()
  const usage = await run(argv)
  const seconds = (performance.now() - started) / 1000
  console.log(`${name.padEnd(12)} ${seconds.toFixed(1)} s wall, ${usage.toFixed(1)} s CPU`)
  return seconds
}

async function run(argv: string[]): Promise<number> {
  const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'ignore', stderr: 'inherit' })
  if ((await child.exited) !== 0) throw new Error(`${argv[0]} failed`)
  return Number(child.resourceUsage()?.cpuTime.total ?? 0) / 1e6
}
