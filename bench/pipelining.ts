import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../src/api/client.ts'

/**
 * How much of the time a worker's encoder is busy when files travel over a line on which a source takes half as long as an
 * encode: with the next source coming down meanwhile (`worker.prefetch`), and without. The line is as wide as
 * `storage.max_bandwidth` makes it; how wide that must be is measured first.
 */
const { values } = parseArgs({
  options: {
    clips: { type: 'string', default: '8' },
    seconds: { type: 'string', default: '20' },
    size: { type: 'string', default: '640x360' },
  },
})
const count = Number(values.clips)
/** Milliseconds between two looks at what runs. */
const lookMs = 20

const base = mkdtempSync(join(tmpdir(), 'darkstream-pipelining-'))
process.on('exit', () => rmSync(base, { recursive: true, force: true }))
const clip = join(base, 'clip.mp4')
await makeClip()
const bits = Bun.file(clip).size * 8

const free = await run('free', 2, {})
const encodeSeconds = free.encode_seconds / 2
const bandwidth = Math.round((bits * 2) / encodeSeconds / 1000) * 1000
console.log(
  `an encode takes ${encodeSeconds.toFixed(1)} s, a source ${(bits / 8e6).toFixed(1)} MB: ${bandwidth / 1e6} Mb/s`,
)
for (const prefetch of ['1', '0']) {
  const limits = { DARKSTREAM_STORAGE_MAX_BANDWIDTH: String(bandwidth), DARKSTREAM_WORKER_PREFETCH: prefetch }
  const { busy, seconds } = await run(`prefetch-${prefetch}`, count, limits)
  console.log(`prefetch ${prefetch}: the encoder was busy ${(busy * 100).toFixed(1)} % of ${seconds.toFixed(1)} s`)
}

/** Converts so many clips over HTTP by a master and a worker of their own; from the first encode's begin to the last one's end. */
async function run(name: string, clips: number, limits: Record<string, string>) {
  const folder = join(base, name)
  mkdirSync(join(folder, 'source'), { recursive: true })
  for (let clipNumber = 0; clipNumber < clips; clipNumber++) {
    copyFileSync(clip, join(folder, 'source', `${clipNumber}.mp4`))
  }
  const master = program(['master'], {
    DARKSTREAM_SERVER_HOST: '127.0.0.1',
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SCANNER_ROOT_PATH: join(folder, 'source'),
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(folder, 'output'),
    DARKSTREAM_SCANNER_SETTLE_TIME: '0s',
    DARKSTREAM_DATABASE_PATH: join(folder, 'jobs.db'),
  })
  const url = await urlOf(master.stderr)
  const worker = program(['worker', '--master-url', url, '--concurrency', '1'], {
    DARKSTREAM_STORAGE_MODE: 'http',
    DARKSTREAM_STORAGE_CACHE_PATH: join(folder, 'cache'),
    DARKSTREAM_WORKER_JOB_CHECK_INTERVAL: '50ms',
    DARKSTREAM_FFMPEG_GPU: 'off',
    ...limits,
  })
  try {
    return await watch(url, worker.pid, clips)
  } finally {
    for (const one of [worker, master]) {
      one.kill('SIGKILL')
      await one.exited
    }
  }
}

/** Looks again and again whether the worker's ffmpeg encodes, until all is done. */
async function watch(url: string, worker: number, clips: number) {
  const api = createClient(url)
  const looks: { at: number; isBusy: boolean }[] = []
  for (let look = 0; ; look++) {
    looks.push({ at: performance.now(), isBusy: isEncoding(worker) })
    if (look % 25 === 0) {
      const { completed, failed } = await api.status({})
      if (failed > 0) throw new Error('a conversion failed')
      if (completed === clips) break
    }
    await Bun.sleep(lookMs)
  }
  const first = looks.findIndex(({ isBusy }) => isBusy)
  const last = looks.findLastIndex(({ isBusy }) => isBusy)
  const during = looks.slice(first, last + 1)
  // Looks are not equally far apart on a busy machine: each counts for the time since the one before.
  const spans = during.slice(1).map(({ at, isBusy }, index) => ({ span: at - (during[index]?.at ?? at), isBusy }))
  const sum = (parts: typeof spans) => parts.reduce((total, { span }) => total + span, 0) / 1000
  const [busySeconds, seconds] = [sum(spans.filter(({ isBusy }) => isBusy)), sum(spans)]
  return { busy: busySeconds / seconds, seconds, encode_seconds: busySeconds }
}

/** Whether a process below another one is an ffmpeg with an encoder in its arguments. */
function isEncoding(root: number): boolean {
  const parents = new Map<number, number>()
  const encoders: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      parents.set(Number(name), Number(/\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]))
      if (readFileSync(`/proc/${name}/cmdline`, 'utf8').includes('libx264')) encoders.push(Number(name))
    } catch {
      // It ended meanwhile.
    }
  }
  return encoders.some((pid) => {
    for (let at: number | undefined = pid; at !== undefined && at > 1; at = parents.get(at))
      if (at === root) return true
    return false
  })
}

async function makeClip(): Promise<void> {
  const source = `testsrc2=s=${values.size}:r=25:d=${values.seconds}`
  const made = Bun.spawn(
    [
      'ffmpeg',
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      source,
      '-vf',
      'noise=alls=8:allf=t',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      clip,
    ],
    { stdin: 'ignore' },
  )
  if ((await made.exited) !== 0) throw new Error('ffmpeg made no clip')
}

function program(args: string[], environment: Record<string, string>) {
  return Bun.spawn(['dist/darkstream', ...args], {
    env: { PATH: process.env['PATH'], HOME: base, ...environment },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
  })
}

async function urlOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  const reader = stream.getReader()
  let text = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error('the master does not start: bun run build')
    text += new TextDecoder().decode(value)
    const [url] = /http:\/\/[\d.:]+/.exec(text.slice(0, text.lastIndexOf('\n'))) ?? []
    if (url !== undefined) return url
  }
}
