import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createClient } from '../../src/api/client.ts'
import type { Api } from '../../src/contract/api.ts'
import { lacksMounts, mountTinyDisk, type TinyDisk } from '../support/tiny-disk.ts'
import { type Clips, makeClips } from './clips.ts'
import { type Network, openNetwork } from './network.ts'
import { Node } from './node.ts'
import { signalTo, toolsIn } from './processes.ts'

/** Milliseconds of a lease, short so that a run sees many end. */
export const lease_ms = 3000
const workerCount = 3

const settings = {
  DARKSTREAM_QUEUE_WORKER_TIMEOUT: `${lease_ms}ms`,
  DARKSTREAM_QUEUE_RETRY_DELAY: '200ms',
  DARKSTREAM_QUEUE_MAX_RETRY_DELAY: '2s',
  DARKSTREAM_QUEUE_MAX_RETRIES: '20',
  DARKSTREAM_SCANNER_SETTLE_TIME: '1s',
  DARKSTREAM_SCANNER_SCAN_INTERVAL: '1s',
  DARKSTREAM_CONVERSION_TARGET_RESOLUTION: '640x360',
  DARKSTREAM_CONVERSION_PRESET: 'slow',
  DARKSTREAM_CONVERSION_BITRATE: '300k',
  DARKSTREAM_WORKER_JOB_CHECK_INTERVAL: '100ms',
  DARKSTREAM_STORAGE_MIN_FREE: '1M',
  DARKSTREAM_FFMPEG_GPU: 'off',
  DARKSTREAM_FFMPEG_STALL_TIMEOUT: '6s',
}

/** A worker with what is its own. */
export interface WorkerNode extends Node {
  number: number
  cache: string
  /** What it keeps in its cache, made at its first start. */
  work_base: string
}

/** File systems of their own, which can be filled. */
export interface Disks {
  output: TinyDisk
  database: TinyDisk
  caches: TinyDisk[]
}

/** A master and three workers as processes of the executable, over folders of their own, and all that can be done to them. */
export interface World {
  /** Holds everything; a mkdtemp folder. */
  base: string
  source: string
  output: string
  database: string
  clips: Clips
  executable: string
  api: Api
  master: Node
  workers: WorkerNode[]
  /** Undefined where the machine has no namespaces for us. */
  network: Network | undefined
  /** Undefined where we may not mount. */
  disks: Disks | undefined
  /** Master settings, for a second one. */
  settings: Record<string, string>
  /** A worker's address of the master. */
  url: (worker: number) => string
  /** Starts whoever is not there, and waits until the master answers. */
  up: () => Promise<void>
  /** Ends every process and takes every mount, namespace and file away; the logs stay when a folder for them is given. */
  close: (logs?: string) => Promise<void>
}

export interface WorldOptions {
  /** The build to be tested; a copy of it is used. */
  executable: string
  /** Without disks and network of their own. */
  is_plain: boolean
}

/** Builds and starts a world. */
export async function openWorld(options: WorldOptions): Promise<World> {
  const base = mkdtempSync(join(tmpdir(), 'darkstream-chaos-'))
  const at = (name: string) => join(base, name)
  const [source, output, scratch, logs] = ['source', 'output', 'scratch', 'logs'].map((name) => {
    mkdirSync(at(name))
    return at(name)
  }) as [string, string, string, string]
  // A build that somebody makes meanwhile must not be half of what is tested.
  const executable = at('darkstream')
  copyFileSync(options.executable, executable)
  const network = options.is_plain ? undefined : openNetwork(workerCount)
  const disks =
    options.is_plain || lacksMounts('what full and read-only disks do in the chaos run') ? undefined : mount()
  mkdirSync(at('db'), { recursive: true })
  const database = join(at('db'), 'jobs.db')
  const port = freePort()
  const url = (worker: number) => `http://${network?.master(worker) ?? '127.0.0.1'}:${port}`
  const masterSettings = {
    ...settings,
    DARKSTREAM_SERVER_HOST: network ? '0.0.0.0' : '127.0.0.1',
    DARKSTREAM_SERVER_DISCOVERY: 'false',
    DARKSTREAM_SERVER_INSECURE: 'true',
    DARKSTREAM_SCANNER_ROOT_PATH: source,
    DARKSTREAM_SCANNER_OUTPUT_BASE: output,
    DARKSTREAM_DATABASE_PATH: database,
  }
  const master = new Node({
    name: 'master',
    argv: [executable, 'master', '--port', String(port)],
    environment: masterSettings,
    log_path: join(logs, 'master.log'),
  })
  const workers = Array.from({ length: workerCount }, (_, number): WorkerNode => {
    const name = `w${number + 1}`
    const cache = at(`cache-${name}`)
    mkdirSync(cache, { recursive: true })
    // A new file system is everybody's.
    chmodSync(cache, 0o700)
    const node = new Node({
      name,
      argv: [
        network?.prefix(number) ?? [],
        [executable, 'worker', '--master-url', url(number), '--id', name, '--concurrency', '1'],
      ].flat(),
      environment: {
        ...settings,
        DARKSTREAM_STORAGE_CACHE_PATH: cache,
        DARKSTREAM_STORAGE_MOUNT_PATH: source,
      },
      log_path: join(logs, `${name}.log`),
    })
    return Object.assign(node, { number, cache, work_base: join(cache, `worker-${name}`) })
  })
  const api = createClient(`http://127.0.0.1:${port}`)
  const world: World = {
    base,
    source,
    output,
    database,
    executable,
    api,
    master,
    workers,
    network,
    disks,
    url,
    settings: masterSettings,
    clips: { short: [], slow: { path: '', seconds: 0 } },
    async up() {
      master.start()
      for (const worker of workers) worker.start()
      await answering(api, master)
    },
    close,
  }
  try {
    writeTools(base)
    world.clips = await makeClips(scratch)
    // So that the root is not empty, which would mean that it is not mounted.
    writeFileSync(join(source, 'about.txt'), 'sources of a chaos run\n')
    await world.up()
    return world
  } catch (error) {
    await close()
    throw error
  }

  function mount(): Disks {
    return {
      output: mountTinyDisk(output, '128m'),
      database: mountTinyDisk(at('db'), '32m'),
      caches: Array.from({ length: workerCount }, (_, number) => mountTinyDisk(at(`cache-w${number + 1}`), '8m')),
    }
  }

  async function close(keep?: string): Promise<void> {
    await Promise.all([master, ...workers].map((node) => node.kill()))
    for (const { pid } of await toolsIn(base)) signalTo(pid, 'SIGKILL')
    network?.close()
    if (keep !== undefined) {
      mkdirSync(keep, { recursive: true })
      for (const name of readdirSync(logs)) copyFileSync(join(logs, name), join(keep, name))
    }
    unmountBelow(base)
    rmSync(base, { recursive: true, force: true })
  }
}

/** Also what a fault mounted that was not ended. */
function unmountBelow(base: string): void {
  if (process.platform !== 'linux') return
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const paths = mounts.map((line) => line.split(' ')[1] ?? '').filter((path) => path.startsWith(`${base}/`))
  for (const path of paths.toReversed()) Bun.spawnSync(['umount', '-l', path])
}

/** Programs named ffmpeg that answer as ffmpeg does until they are to encode: `failing` then fails, `hanging` does nothing. */
function writeTools(base: string): void {
  for (const [name, act] of [
    ['failing', 'exit 1'],
    ['hanging', 'exec sleep 600'],
  ] as const) {
    const folder = join(base, name)
    mkdirSync(folder)
    symlinkSync(Bun.which('ffprobe') ?? 'ffprobe', join(folder, 'ffprobe'))
    const script = `#!/bin/sh\ncase " $* " in *" -progress "*) ${act} ;; esac\nexec ${Bun.which('ffmpeg')} "$@"\n`
    writeFileSync(join(folder, 'ffmpeg'), script, { mode: 0o755 })
  }
}

async function answering(api: Api, master: Node): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      await api.status({})
      return
    } catch (error) {
      if (tries > 300 || !master.isUp) {
        throw new Error(`the master does not answer:\n${master.output().slice(-2000)}`, { cause: error })
      }
      await Bun.sleep(100)
    }
  }
}

/** One that was free a moment ago. */
function freePort(): number {
  const server = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response() })
  const { port } = server
  void server.stop(true)
  return port ?? 0
}
