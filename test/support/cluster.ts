import { copyFileSync, mkdirSync, utimesSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import type { Api } from '../../src/contract/api.ts'
import { type Program, start, temporaryFolder } from './program.ts'

/** A master on a free port with its folders, and what it takes to add workers. */
export interface Cluster {
  source: string
  output: string
  url: string
  api: Api
  master: Program
  /** The settings that the master has; a second one can go on with them. */
  environment: Record<string, string>
  worker: (id: string, environment?: Record<string, string>) => Program
}

/** Quick leases and retries, so that a test need not wait for what production waits for. */
const quick = {
  DARKSTREAM_SERVER_HOST: '127.0.0.1',
  DARKSTREAM_QUEUE_WORKER_TIMEOUT: '2s',
  DARKSTREAM_QUEUE_RETRY_DELAY: '10ms',
  DARKSTREAM_SCANNER_SETTLE_TIME: '1s',
  DARKSTREAM_SCANNER_SCAN_INTERVAL: '1s',
}

/** Starts the compiled master over fresh folders and waits until it listens. */
export async function startCluster(environment: Record<string, string> = {}): Promise<Cluster> {
  const base = temporaryFolder()
  const source = join(base, 'source')
  const output = join(base, 'output')
  mkdirSync(source)
  const settings = {
    ...quick,
    DARKSTREAM_SCANNER_ROOT_PATH: source,
    DARKSTREAM_SCANNER_OUTPUT_BASE: output,
    DARKSTREAM_DATABASE_PATH: join(base, 'jobs.db'),
    ...environment,
  }
  const { master, url } = await startMaster(settings)
  const cache = join(base, 'cache')
  return {
    source,
    output,
    url,
    api: createClient(url),
    master,
    environment: settings,
    worker: (id, more) =>
      start(['worker', '--master-url', url, '--id', id, '--concurrency', '1'], {
        environment: { DARKSTREAM_STORAGE_CACHE_PATH: cache, DARKSTREAM_WORKER_JOB_CHECK_INTERVAL: '50ms', ...more },
      }),
  }
}

/** Starts a master and waits until it listens. */
export async function startMaster(
  environment: Record<string, string>,
  port = 0,
): Promise<{ master: Program; url: string }> {
  const master = start(['master', '--port', String(port)], { environment })
  const line = await master.line(/master listening on/)
  return { master, url: /http:\/\/[\d.:]+/.exec(line)?.[0] ?? '' }
}

/** Puts a copy of a clip where a scan finds it; it looks as if it had lain there for an hour. */
export function place(clip: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true })
  copyFileSync(clip, path)
  const anHourAgo = new Date(Date.now() - 3_600_000)
  utimesSync(path, anHourAgo, anHourAgo)
}

/** Process ids of the ffmpegs that work for a cluster's scratch folder or output tree. */
export async function ffmpegsOf(path: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return pids.filter((_, index) => lines[index]?.includes('ffmpeg') && lines[index].includes(path)).map(Number)
}

/** What ffprobe says of a result's first video and audio stream and its length. */
export async function probe(path: string): Promise<{ video: string; size: string; audio: string; seconds: number }> {
  const argv = ['ffprobe', '-v', 'error', '-show_streams', '-show_format', '-of', 'json', `file:${path}`]
  const child = Bun.spawn(argv, { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  const found = (await child.stdout.json()) as {
    streams: { codec_type: string; codec_name: string; width?: number; height?: number }[]
    format: { duration: string }
  }
  const video = found.streams.find((stream) => stream.codec_type === 'video')
  const audio = found.streams.find((stream) => stream.codec_type === 'audio')
  return {
    video: video?.codec_name ?? '',
    size: `${video?.width}x${video?.height}`,
    audio: audio?.codec_name ?? '',
    seconds: Number(found.format.duration),
  }
}
