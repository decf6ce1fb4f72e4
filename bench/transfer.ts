import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../src/api/client.ts'
import { createFileClient } from '../src/api/file-client.ts'
import { createLog } from '../src/util/log.ts'
import { JobFiles } from '../src/worker/transfer/job-files.ts'
import { Pace } from '../src/worker/transfer/pace.ts'
import { SharedMount } from '../src/worker/transfer/shared-mount.ts'

/**
 * What a worker's transfers reach over HTTP, against plain curl and a plain server of static files (Bun.serve), in turn, on
 * the same loopback, in one run: a source down and a result up, with the sums of both sides. Files lie in memory unless told.
 */
const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: String(2 ** 30) },
    rounds: { type: 'string', default: '3' },
    folder: { type: 'string', default: '/dev/shm' },
    /** What this file runs as in a child. */
    role: { type: 'string', default: 'all' },
  },
  allowPositionals: true,
})
const size = Number(values.bytes)
if (values.role === 'plain') plainServer()
else if (values.role === 'worker') await transfers()
else await all()

/** Serves and takes files as they are. */
function plainServer(): void {
  const folder = values.folder
  const server = Bun.serve({
    port: 0,
    maxRequestBodySize: Number.MAX_SAFE_INTEGER,
    async fetch(request) {
      if (request.method !== 'PUT') return new Response(Bun.file(join(folder, 'source', 'film.mp4')))
      await Bun.write(join(folder, 'up'), request)
      return new Response()
    },
  })
  console.log(server.port)
}

/** A worker's downloads and uploads, without an encode between them; tells its times and memory. */
async function transfers(): Promise<void> {
  const url = process.env['BENCH_URL'] ?? ''
  const [api, transfer, worker_id] = [createClient(url), createFileClient(url), 'bench']
  const { lease_ms } = await api.register({ worker_id, boot_id: 'bench' })
  const beat = setInterval(() => void api.heartbeat({ worker_id, boot_id: 'bench' }), lease_ms / 4)
  const job = await api.claim({ worker_id, boot_id: 'bench', request_id: 'bench', wait: 30 })
  if (job === null) throw new Error('the master has no job')
  const files = new JobFiles({
    api,
    transfer,
    worker_id,
    mode: 'http',
    master: url,
    pace: new Pace(null),
    mount: new SharedMount({ api, worker_id, path_map: [] }),
    work_base: join(values.folder, 'worker'),
    max_cache: 0,
    min_free: 0,
    download_timeout_ms: 600_000,
    stall_timeout_ms: 30_000,
    retry_pause_ms: 100,
    log: createLog({ level: 'warn', format: 'text', output_path: null }),
  })
  const before = peakMemory(process.pid)
  const place = await files.choose(job)
  for await (const line of console) {
    const started = performance.now()
    if (line === 'down') {
      const path = await place.source(AbortSignal.timeout(600_000), () => {})
      console.log(
        JSON.stringify({ seconds: (performance.now() - started) / 1000, memory: peakMemory(process.pid) - before }),
      )
      place.release()
      rmSync(path)
    } else {
      const claim = { job_id: job.id, worker_id, attempt: job.attempt }
      await files.upload(claim, join(values.folder, 'source', 'film.mp4'), size, AbortSignal.timeout(600_000))
      console.log(
        JSON.stringify({ seconds: (performance.now() - started) / 1000, memory: peakMemory(process.pid) - before }),
      )
      rmSync(job.staging_path)
    }
  }
  clearInterval(beat)
}

async function all(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, 'darkstream-transfer-'))
  const children: Bun.Subprocess[] = []
  try {
    makeFile(join(folder, 'source'))
    const plain = child(['--role', 'plain', '--folder', folder])
    children.push(plain)
    const plainUrl = `http://127.0.0.1:${await firstLine(plain)}`
    const { process: master, url } = await startMaster(folder)
    children.push(master)
    const idle = peakMemory(master.pid)
    const worker = child(['--role', 'worker', '--folder', folder, '--bytes', values.bytes], { BENCH_URL: url })
    children.push(worker)
    await measure(folder, plainUrl, worker, () => peakMemory(master.pid) - idle)
  } finally {
    for (const one of children) one.kill()
    await Promise.all(children.map((one) => one.exited))
    rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  folder: string,
  plainUrl: string,
  worker: Bun.Subprocess<'pipe', 'pipe'>,
  masterMemory: () => number,
) {
  const lines = linesOf(worker.stdout)
  const seconds: Record<string, number[]> = {}
  const curls = {
    down: ['curl', '-sf', '-o', join(folder, 'down'), plainUrl],
    up: ['curl', '-sf', '-T', join(folder, 'source', 'film.mp4'), plainUrl],
  }
  let memory = 0
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const way of ['down', 'up'] as const) {
      const started = performance.now()
      if ((await Bun.spawn(curls[way]).exited) !== 0) throw new Error('curl failed')
      ;(seconds[`curl ${way}`] ??= []).push((performance.now() - started) / 1000)
      for (const name of ['down', 'up']) rmSync(join(folder, name), { force: true })
      void worker.stdin.write(`${way}\n`)
      void worker.stdin.flush()
      const { value } = await lines.next()
      const told = JSON.parse(value ?? '') as { seconds: number; memory: number }
      ;(seconds[`darkstream ${way}`] ??= []).push(told.seconds)
      memory = told.memory
    }
  }
  for (const way of ['down', 'up']) {
    const [curl, ours] = [median(seconds[`curl ${way}`]), median(seconds[`darkstream ${way}`])]
    console.log(
      `${way.padEnd(5)} curl ${rateText(curl)}, darkstream ${rateText(ours)}, ratio ${(curl / ours).toFixed(2)}`,
    )
  }
  console.log(`extra memory at its peak: worker ${mebibyteText(memory)}, master ${mebibyteText(masterMemory())}`)
}

function rateText(seconds: number): string {
  return `${(size / seconds / 1e6).toFixed(0)} MB/s`
}

function mebibyteText(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

/** A file of noise, which nothing on the way can make smaller. */
function makeFile(source: string): void {
  mkdirSync(source)
  const file = openSync(join(source, 'film.mp4'), 'w')
  const noise = crypto.getRandomValues(new Uint8Array(65_536))
  const block = Buffer.concat(Array.from({ length: 256 }, () => noise))
  for (let at = 0; at < size; at += block.length) writeSync(file, block, 0, Math.min(block.length, size - at))
  closeSync(file)
}

async function startMaster(folder: string) {
  const environment = {
    DARKSTREAM_SERVER_HOST: '127.0.0.1',
    DARKSTREAM_SERVER_PORT: '0',
    DARKSTREAM_SCANNER_ROOT_PATH: join(folder, 'source'),
    DARKSTREAM_SCANNER_OUTPUT_BASE: join(folder, 'output'),
    DARKSTREAM_SCANNER_SETTLE_TIME: '0s',
    DARKSTREAM_DATABASE_PATH: join(folder, 'jobs.db'),
  }
  const master = Bun.spawn(['dist/darkstream', 'master'], {
    env: { PATH: process.env['PATH'], ...environment },
    stdout: 'ignore',
    stderr: 'pipe',
  })
  for await (const line of linesOf(master.stderr)) {
    const [url] = /http:\/\/[\d.:]+/.exec(line) ?? []
    if (url !== undefined) return { process: master, url }
  }
  throw new Error('the master does not start: bun run build')
}

function child(args: string[], environment: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, import.meta.path, ...args], {
    env: { ...process.env, ...environment },
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
}

async function firstLine({ stdout }: Bun.Subprocess<'pipe', 'pipe'>): Promise<string> {
  return (await linesOf(stdout).next()).value ?? ''
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, undefined> {
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    yield* lines
  }
  return undefined
}

/** Bytes of memory that a process had at its peak (VmHWM of proc_pid_status(5)). */
function peakMemory(pid: number): number {
  const [, kib = '0'] = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return Number(kib) * 1024
}

function median(values: readonly number[] = []): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN
}
