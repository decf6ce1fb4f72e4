import { Database } from 'bun:sqlite'
import { existsSync } from 'node:fs'
import { copyFile, mkdtemp, rm, stat } from 'node:fs/promises'
import { availableParallelism, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { jobId } from '../src/master/outputs.ts'
import { openSqliteStore } from '../src/queue/sqlite/sqlite-store.ts'
import type { FoundSource, Store } from '../src/queue/store.ts'
import { systemClock } from '../src/util/clock.ts'

// `bun bench/queue.ts [--jobs 1000000] [--rounds 20] [--folder DIR]`: how long the queue's steps take on a database of
// that many jobs, through the store and with its syncs as in production, beside what the same disk asks for one bare
// sync and what the same step takes at a thousand jobs. The three alternate, so that whatever else the machine does
// hits them alike.

/** Files per batch, as the scanner adds them. */
const batchSize = 50
/** Jobs of the small queue to compare with. */
const smallJobs = 1000
/** Claims per round, each followed by its completion. */
const roundSize = 250
/** What the issue asks of claim and status, milliseconds. */
const limit_ms = 1
/** A little less than the smallest source, and in one class of sizes with it: the most that is looked at in vain. */
const smallLimit = 699_999_999
/** What each job comes to. */
const result: Parameters<Store['complete']>[1] = {
  output_size: 300_000_000,
  notes: [],
  published: null,
  ran_on: { decode: 'cpu', filter: 'cpu', encoder: 'libx264', device: null, fell_back: false, reasons: [] },
  source_facts: null,
  profile: null,
  settings: null,
  score: null,
}
/** Linux's folder of files in memory, where a sync costs nothing. */
const memoryFolder = '/dev/shm'

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '20' },
    folder: { type: 'string', default: tmpdir() },
  },
})
const jobs = atLeast(1, values.jobs, '--jobs')
const rounds = atLeast(1, values.rounds, '--rounds')

/** Milliseconds that a step took, each time. */
type Times = number[]
type Measured = Record<'claim' | 'claim, all too large' | 'complete' | 'totals' | 'heartbeat', Times>

const folder = await mkdtemp(join(values.folder, 'darkstream-bench-'))
try {
  await measure()
} finally {
  await rm(folder, { recursive: true, force: true })
}

async function measure(): Promise<void> {
  console.log(
    `queue of ${jobs} jobs in ${folder}; ${availableParallelism()} cores, load ${loadavg()[0]?.toFixed(1)} at start`,
  )
  const path = join(folder, 'large.db')
  const large = open(path)
  await fill(large, jobs)
  console.log(`  the file has ${Math.round((await stat(path)).size / 1e6)} MB\n`)

  const small = open(join(folder, 'small.db'))
  await addAll(small, smallJobs)
  const floor = bareUpdate(join(folder, 'floor.db'))
  const atLarge = noTimes()
  const atSmall = noTimes()
  const sync: Times = []
  for (let round = 0; round < rounds; round++) {
    await oneRound(large, atLarge)
    await requeueAll(small, await oneRound(small, atSmall))
    for (let count = 0; count < roundSize; count++) await timed(sync, floor.update)
  }
  const pages = await walkPages(large)
  await large.close()
  await small.close()
  floor.close()
  const inMemory = await measureInMemory(path)
  print(atLarge, atSmall, inMemory, sync, pages)
}

/** Adds so many sources in the scanner's batches; prints how long that and a second look at the first of them took. */
async function fill(store: Store, count: number): Promise<void> {
  const started = performance.now()
  const batches = await addAll(store, count)
  const seconds = (performance.now() - started) / 1000
  console.log(`  added in ${seconds.toFixed(1)} s, ${Math.round(count / seconds)} a second`)
  console.log(heading())
  console.log(line(`add a batch of ${batchSize}`, batches))
  console.log(line(`rescan ${batchSize} unchanged files`, await addAll(store, Math.min(count, 200 * batchSize))))
}

async function addAll(store: Store, count: number): Promise<Times> {
  const times: Times = []
  for (let first = 0; first < count; first += batchSize) {
    const batch = Array.from({ length: Math.min(batchSize, count - first) }, (_, index) => film(first + index))
    await timed(times, () => store.addSources(batch))
  }
  return times
}

function film(index: number): FoundSource {
  const name = `series ${Math.floor(index / 500)}/season ${Math.floor(index / 50) % 10}/episode ${index}`
  const source_path = `/mnt/storage/videos/${name}.mkv`
  return {
    id: jobId(source_path),
    source_path,
    source_size: 700_000_000 + index,
    source_mtime_ms: 1_700_000_000_000 + index,
    output_paths: [`/mnt/storage/converted/${name}.mp4`],
    problem: null,
  }
}

/** Claims and completes jobs as eight workers would, with a look at the totals and a heartbeat in between; the jobs' ids. */
async function oneRound(store: Store, measured: Measured): Promise<string[]> {
  const ids: string[] = []
  for (let count = 0; count < roundSize; count++) {
    const worker_id = `worker-${count % 8}`
    const request = { worker_id, request_id: crypto.randomUUID(), lease_ms: 120_000 }
    const job = await timed(measured.claim, () => store.claim(request))
    if (!job) break
    ids.push(job.id)
    const limited = { ...request, request_id: crypto.randomUUID(), max_source_bytes: smallLimit }
    if (count % 5 === 0) await timed(measured['claim, all too large'], () => store.claim(limited))
    await timed(measured.totals, () => store.totals())
    if (count % 5 === 0) await timed(measured.heartbeat, () => store.heartbeat(heartbeatOf(worker_id)))
    const key = { job_id: job.id, worker_id, attempt: job.attempt }
    await timed(measured.complete, () => store.complete(key, result))
  }
  return ids
}

function heartbeatOf(worker_id: string) {
  return {
    worker_id,
    hostname: worker_id,
    vulkan_available: false,
    active_jobs: 1,
    status: 'busy',
    gpu: '',
    cpu_usage: 50,
    memory_usage: 50,
    gpu_usage: null,
    gpu_report: null,
  } as const
}

/** Keeps the small queue as it was: every round starts with all of its jobs pending. */
async function requeueAll(store: Store, ids: readonly string[]): Promise<void> {
  for (const id of ids) await store.requeue(id)
}

/** One row in a database of its own, changed and synced with nothing else to do: what the disk costs. */
function bareUpdate(path: string) {
  const db = new Database(path, { create: true })
  for (const sql of ['PRAGMA journal_mode = WAL', 'PRAGMA synchronous = FULL']) db.run(sql)
  db.run('CREATE TABLE one (value INTEGER)')
  db.run('INSERT INTO one VALUES (0)')
  const statement = db.query('UPDATE one SET value = value + 1')
  return { update: async () => statement.run(), close: () => db.close() }
}

/** The list of all jobs, page after page: the last must cost what the first does. */
async function walkPages(store: Store): Promise<Times> {
  const times: Times = []
  let after: string | undefined
  do {
    const page = await timed(times, () => store.jobs({ limit: 100, after }))
    after = page.next ?? undefined
  } while (after !== undefined)
  return times
}

/** The same database on files in memory: SQLite's own time, without the disk. Undefined where there is no such place. */
async function measureInMemory(path: string): Promise<Measured | undefined> {
  if (!existsSync(memoryFolder)) return undefined
  const inMemory = await mkdtemp(join(memoryFolder, 'darkstream-bench-'))
  try {
    await copyFile(path, join(inMemory, 'jobs.db'))
    const store = open(join(inMemory, 'jobs.db'))
    const measured = noTimes()
    for (let round = 0; round < rounds; round++) await oneRound(store, measured)
    await store.close()
    return measured
  } finally {
    await rm(inMemory, { recursive: true, force: true })
  }
}

function print(large: Measured, small: Measured, inMemory: Measured | undefined, sync: Times, pages: Times): void {
  const half = Math.ceil(pages.length / 2)
  console.log(`\nat ${jobs} jobs, synced as in production`)
  console.log(heading())
  for (const [step, times] of Object.entries(large)) console.log(line(step, times))
  console.log(line('page of 100, first half', pages.slice(0, half)))
  console.log(line('page of 100, second half', pages.slice(half)))
  console.log(`at ${smallJobs} jobs, synced as in production, in turns with the above`)
  for (const [step, times] of Object.entries(small)) console.log(line(step, times))
  console.log('one bare UPDATE of one row, synced, in turns with the above')
  console.log(line('update', sync))
  if (inMemory) console.log(`at ${jobs} jobs, the same file in ${memoryFolder}: SQLite without the disk`)
  for (const [step, times] of Object.entries(inMemory ?? {})) console.log(line(step, times))

  console.log('\nratios of the p50s')
  const ratio = (what: string, part: Times, whole: Times) =>
    console.log(`  ${what.padEnd(60)} ${(quantile(part, 0.5) / quantile(whole, 0.5)).toFixed(2)}`)
  ratio(`claim at ${jobs} jobs / claim at ${smallJobs}`, large.claim, small.claim)
  ratio(`complete at ${jobs} jobs / complete at ${smallJobs}`, large.complete, small.complete)
  ratio(`totals at ${jobs} jobs / totals at ${smallJobs}`, large.totals, small.totals)
  ratio(`claim at ${jobs} jobs / one bare synced update`, large.claim, sync)
  ratio('pages of the second half / pages of the first half', pages.slice(half), pages.slice(0, half))
  console.log('')
  verdict('claim, synced', large.claim)
  if (inMemory) verdict('claim, without the disk', inMemory.claim)
  verdict('status', large.totals)
  console.log(`load ${loadavg()[0]?.toFixed(1)} at the end`)
}

function verdict(what: string, times: Times): void {
  const p50 = quantile(times, 0.5)
  const answer = p50 < limit_ms ? 'yes' : 'NO'
  console.log(
    `${what}: p50 below ${limit_ms} ms at ${jobs} jobs? ${answer}, ${p50.toFixed(3)} ms (${times.length} times)`,
  )
}

function heading(): string {
  return `  ${'milliseconds'.padEnd(28)}${['times', 'p50', 'p95', 'p99', 'max'].map((name) => name.padStart(10)).join('')}`
}

function line(what: string, times: Times): string {
  const figures = [0.5, 0.95, 0.99, 1].map((share) => quantile(times, share).toFixed(3).padStart(10))
  return `  ${what.padEnd(28)}${String(times.length).padStart(10)}${figures.join('')}`
}

function quantile(times: Times, share: number): number {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

async function timed<T>(times: Times, step: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await step()
  times.push(performance.now() - started)
  return result
}

function noTimes(): Measured {
  return { claim: [], 'claim, all too large': [], complete: [], totals: [], heartbeat: [] }
}

function open(path: string): Store {
  return openSqliteStore({ path, max_retries: 3, clock: systemClock })
}

function atLeast(least: number, text: string, flag: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= least) return value
  console.error(`${flag}: must be a whole number of at least ${least}, got ${text}`)
  process.exit(2)
}
