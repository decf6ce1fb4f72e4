import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { createClient } from '../src/api/client.ts'
import { createFileClient } from '../src/api/file-client.ts'
import type { Api } from '../src/contract/api.ts'
import { DarkstreamError } from '../src/contract/error.ts'
import type { Assignment } from '../src/contract/job.ts'
import { sumOf } from '../src/sums/file-sum.ts'
import { createLog } from '../src/util/log.ts'
import { JobFiles } from '../src/worker/transfer/job-files.ts'
import { Pace } from '../src/worker/transfer/pace.ts'
import { SharedMount } from '../src/worker/transfer/shared-mount.ts'

/**
 * What a worker's transfers reach over HTTP, against plain curl and a plain server of static files (Bun.serve), in turn, on
 * the same loopback, in one run: a source down and a result up, with the sums of both sides. The server also takes a file that
 * curl puts, which it only writes. Files lie in memory unless told.
 */
const { values } = parseArgs({
  options: {
    bytes: { type: 'string', default: String(2 ** 30) },
    rounds: { type: 'string', default: '5' },
    folder: { type: 'string', default: '/dev/shm' },
    /** What this file runs as in a child. */
    role: { type: 'string', default: 'all' },
  },
  allowPositionals: true,
})
const [size, rounds] = [Number(values.bytes), Number(values.rounds)]
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
      if (request.method !== 'PUT') return new Response(Bun.file(filmPath(folder)))
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
  const claims = await claimAll(api, worker_id)
  const job = claims.find(({ source_path }) => source_path === filmPath(values.folder))
  if (job === undefined) throw new Error('the film is not claimed')
  const film_sha256 = await sumOf(job.source_path, 0, size)
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
    source_look_ms: 30_000,
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
      tell({ seconds: secondsSince(started) })
      place.release()
      rmSync(path)
    } else {
      const one = claims.findLast((claim) => claim !== job && !existsSync(claim.output_path))
      if (one === undefined) throw new Error('no claim is left to upload for')
      const claim = { job_id: one.id, worker_id, attempt: one.attempt }
      await files.upload(claim, job.source_path, size, AbortSignal.timeout(600_000))
      const seconds = secondsSince(started)
      const done = await persistently(() => api.complete({ ...claim, output_size: size, sha256: film_sha256 }))
      if (done.status !== 'completed') throw new Error(done.message)
      tell({ seconds, published: secondsSince(started) })
      writeFileSync(one.output_path, '')
    }
  }
  clearInterval(beat)

  function tell(figures: Omit<Told, 'memory'>): void {
    console.log(JSON.stringify({ ...figures, memory: peakMemory(process.pid) - before } satisfies Told))
  }
}

/** What a transfer took. */
interface Told {
  seconds: number
  /** Of an upload, until its whole SHA-256 was compared and it had its name. */
  published?: number
  /** Bytes of the worker at its peak, beyond those before the first transfer. */
  memory: number
}

/** The film's job, and one for each upload. */
async function claimAll(api: Api, worker_id: string): Promise<Assignment[]> {
  const claims: Assignment[] = []
  while (claims.length <= rounds) {
    const job = await api.claim({ worker_id, boot_id: 'bench', request_id: `bench-${claims.length}`, wait: 30 })
    if (job === null) throw new Error('the master has too few jobs')
    claims.push(job)
  }
  return claims
}

/** An answer that takes longer than a client waits is asked for again. */
async function persistently<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DarkstreamError && error.code === 'unreachable')) throw error
    }
  }
}

async function all(): Promise<void> {
  const folder = mkdtempSync(join(values.folder, 'darkstream-transfer-'))
  const children: Bun.Subprocess[] = []
  try {
    makeFile(folder)
    const plain = child(['--role', 'plain', '--folder', folder])
    children.push(plain)
    const plainUrl = `http://127.0.0.1:${await firstLine(plain)}`
    const { process: master, url } = await startMaster(folder)
    children.push(master)
    const idle = peakMemory(master.pid)
    const told = ['--folder', folder, '--bytes', values.bytes, '--rounds', values.rounds]
    const worker = child(['--role', 'worker', ...told], { BENCH_URL: url })
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
    up: ['curl', '-sf', '-T', filmPath(folder), plainUrl],
  }
  let memory = 0
  for (let round = 0; round < rounds; round++) {
    for (const way of ['down', 'up'] as const) {
      const started = performance.now()
      if ((await Bun.spawn(curls[way]).exited) !== 0) throw new Error('curl failed')
      ;(seconds[`curl ${way}`] ??= []).push((performance.now() - started) / 1000)
      for (const name of ['down', 'up']) rmSync(join(folder, name), { force: true })
      void worker.stdin.write(`${way}\n`)
      void worker.stdin.flush()
      const { value } = await lines.next()
      const told = JSON.parse(value ?? '') as Told
      ;(seconds[`darkstream ${way}`] ??= []).push(told.seconds)
      if (told.published !== undefined) (seconds['published'] ??= []).push(told.published)
      memory = told.memory
    }
  }
  const fetched = median(seconds['curl down'])
  for (const way of ['down', 'up']) {
    const [curl, ours] = [median(seconds[`curl ${way}`]), median(seconds[`darkstream ${way}`])]
    const published = median(seconds['published'])
    const ratios = [
      `${(fetched / ours).toFixed(2)} of curl's download`,
      ...(way === 'up' ? [`${(curl / ours).toFixed(2)} of its upload`] : []),
      ...(way === 'up'
        ? [`until it is published ${(fetched / published).toFixed(2)} and ${(curl / published).toFixed(2)}`]
        : []),
    ]
    console.log(`${way.padEnd(5)} curl ${rateText(curl)}, darkstream ${rateText(ours)}: ${ratios.join(', ')}`)
  }
  console.log(`extra memory at its peak: worker ${mebibyteText(memory)}, master ${mebibyteText(masterMemory())}`)
}

function secondsSince(started: number): number {
  return (performance.now() - started) / 1000
}

function rateText(seconds: number): string {
  return `${(size / seconds / 1e6).toFixed(0)} MB/s`
}

function mebibyteText(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`
}

/** A file of noise, which nothing on the way can make smaller. */
function makeFile(folder: string): void {
  mkdirSync(dirname(filmPath(folder)))
  const file = openSync(filmPath(folder), 'w')
  const noise = crypto.getRandomValues(new Uint8Array(65_536))
  const block = Buffer.concat(Array.from({ length: 256 }, () => noise))
  for (let at = 0; at < size; at += block.length) writeSync(file, block, 0, Math.min(block.length, size - at))
  closeSync(file)
  // What is uploaded is the same film, each time as the result of another job.
  for (let round = 0; round < rounds; round++) writeFileSync(join(dirname(filmPath(folder)), `${round}.mp4`), 'film')
}

function filmPath(folder: string): string {
  return join(folder, 'source', 'film.mp4')
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
