import { Database } from 'bun:sqlite'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { JobView } from '../../src/contract/job.ts'
import { isOver, jobsOf } from './jobs.ts'
import { digest, factsOf, type Library, type Source } from './library.ts'
import type { Memory } from './memory.ts'
import { toolsIn } from './processes.ts'
import type { World } from './world.ts'

/** How an invariant is broken, as the table counts it. */
export const kinds = ['lost', 'damaged', 'duplicated', 'stuck', 'left over'] as const
export type Kind = (typeof kinds)[number]

/** An invariant that does not hold. */
export interface Violation {
  kind: Kind
  /** A sentence that begins with its number. */
  text: string
}

/** Looks at files, database and processes, and knows of the product only what the documentation says. */
export async function check(world: World, library: Library, memory: Memory): Promise<Violation[]> {
  const found: Violation[] = []
  const say = (kind: Kind, text: string) => found.push({ kind, text })
  const jobs = (await jobsOf(world)) ?? []
  const bySource = new Map(jobs.map((job) => [job.source_path, job]))
  for (const text of memory.look(jobs)) say('lost', text)
  for (const source of library.sources) checkSource(source, bySource.get(source.path), say)
  for (const job of jobs) {
    if (!library.sources.some(({ path }) => path === job.source_path))
      say('duplicated', `I5: a job of no source: ${job.source_path}`)
    await checkAttempts(world, job, library, say)
  }
  await checkOutputs(world, jobs, library, memory, say)
  checkDatabase(world, say)
  for (const text of await leftovers(world)) say('left over', text)
  return found
}

type Say = (kind: Kind, text: string) => void

/** I3 and I5. */
function checkSource(source: Source, job: JobView | undefined, say: Say): void {
  const { path, state } = source
  if (state === 'gone') {
    if (existsSync(path)) say('damaged', `I3: ${path} was removed and is there again`)
    if (job && !isOver(job)) say('stuck', `I5: ${path} is gone and its job is ${job.status}`)
    return
  }
  if (!existsSync(path)) return say('damaged', `I3: ${path} is gone`)
  const { sha256, size, mtime_ms } = factsOf(path)
  if (sha256 !== source.sha256 || size !== source.size || mtime_ms !== source.mtime_ms)
    say('damaged', `I3: ${path} is not as it was written`)
  if (job === undefined) return say('lost', `I5: no job for ${path}`)
  if (!isOver(job)) return say('stuck', `I5: ${path} is ${job.status} (attempt ${job.attempt}, ${job.error_message})`)
  if (job.status === 'failed' && (job.error_message ?? '') === '') say('lost', `I5: ${path} failed without a reason`)
  const wanted = state === 'whole' ? 'completed' : 'failed'
  if (job.status !== wanted)
    say('lost', `I5: ${path} (${state}) is ${job.status} and not ${wanted}: ${job.error_message}`)
}

/** I4. */
async function checkAttempts({ api }: World, job: JobView, library: Library, say: Say): Promise<void> {
  const { attempts } = await api.job({ job_id: job.id })
  const versions = library.sources.find(({ path }) => path === job.source_path)?.versions ?? 0
  const completed = attempts.filter(({ outcome }) => outcome === 'completed').length
  if (completed > versions)
    say('duplicated', `I4: ${job.source_path} was completed ${completed} times, with ${versions} contents`)
  const numbers = attempts.map(({ attempt }) => attempt)
  if (new Set(numbers).size !== numbers.length)
    say('duplicated', `I4: ${job.source_path} has an attempt twice: ${numbers.join()}`)
  if (job.status === 'completed' && completed === 0) say('lost', `I4: ${job.source_path} is completed by no attempt`)
}

/** I1 and I2. */
async function checkOutputs(
  world: World,
  jobs: readonly JobView[],
  library: Library,
  memory: Memory,
  say: Say,
): Promise<void> {
  const byOutput = new Map(jobs.map((job) => [job.output_path, job]))
  for (const job of jobs) {
    if (job.status !== 'completed') continue
    const size = existsSync(job.output_path) ? statSync(job.output_path).size : undefined
    if (size === undefined) say('lost', `I2: ${job.source_path} is completed, and nothing is at ${job.output_path}`)
    else if (size !== job.output_size)
      say('damaged', `I2: ${job.output_path} has ${size} bytes and not ${job.output_size}`)
  }
  for (const path of filesBelow(world.output)) {
    const job = byOutput.get(path)
    if (job === undefined) say('left over', `I1: ${path} belongs to no job`)
    else await checkOutput(path, job, library, memory, say)
  }
}

async function checkOutput(path: string, job: JobView, library: Library, memory: Memory, say: Say): Promise<void> {
  const sha256 = digest(path)
  const known = memory.outputs.get(path)
  if (known?.sha256 === sha256) return
  if (known && known.attempt === job.attempt) say('damaged', `I2: ${path} is not what attempt ${job.attempt} published`)
  memory.outputs.set(path, { sha256, attempt: job.attempt })
  const { seconds, complaint } = await lengthOf(path)
  if (complaint !== '') say('damaged', `I1: ${path} does not read: ${complaint}`)
  const source = library.sources.find((one) => one.path === job.source_path)
  // Of a source that changed or went, an older result may be there.
  if (source?.state !== 'whole' || job.status !== 'completed') return
  if (!(Math.abs(seconds - source.clip.seconds) < 0.25)) {
    say('damaged', `I1: ${path} is ${seconds} s long, its source ${source.clip.seconds} s`)
  }
}

/** What ffprobe says of the picture, read to its end. */
async function lengthOf(path: string): Promise<{ seconds: number; complaint: string }> {
  const words = [
    '-v',
    'error',
    '-count_packets',
    '-select_streams',
    'v:0',
    '-show_entries',
    'stream=duration,nb_read_packets',
  ]
  const child = Bun.spawn(['ffprobe', ...words, '-of', 'json', `file:${path}`], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const [text, complaint] = await Promise.all([child.stdout.text(), child.stderr.text()])
  try {
    const { streams } = JSON.parse(text) as { streams: { duration?: string; nb_read_packets?: string }[] }
    return { seconds: Number(streams[0]?.duration), complaint }
  } catch {
    return { seconds: Number.NaN, complaint: complaint || 'ffprobe says nothing' }
  }
}

/** I6: what is there that should not be when nobody works, a sentence each. */
export async function leftovers(world: World): Promise<string[]> {
  const tools = await toolsIn(world.base)
  const work = join(world.output, '.darkstream', 'work')
  return [
    tools.map(({ pid, argv }) => `I6: process ${pid} still runs: ${argv.join(' ').slice(0, 200)}`),
    namesIn(work).map((name) => `I6: ${join(work, name)} is left over`),
    filesBelow(world.output)
      .filter(isPartial)
      .map((path) => `I6: ${path} is left over`),
    world.workers.flatMap(({ work_base, cache }) => [
      ...namesIn(work_base)
        // Sources that came over HTTP stay for a retry, and the folder is there as soon as they might come.
        .filter((name) => !/^(pid|outbox|proofs.*|sources|results)$/.test(name))
        .map((name) => `I6: ${join(work_base, name)} is left over`),
      ...namesIn(join(work_base, 'results')).map((name) => `I6: the result ${name} of ${work_base} is left over`),
      ...namesIn(join(work_base, 'outbox')).map((name) => `I6: the outbox of ${work_base} still holds ${name}`),
      ...namesIn(cache)
        .filter((name) => isPartial(name))
        .map((name) => `I6: ${join(cache, name)} is left over`),
    ]),
  ].flat()
}

function checkDatabase({ database }: World, say: Say): void {
  using db = new Database(database, { readonly: true })
  const rows = db.query<{ quick_check: string }, []>('PRAGMA quick_check').all()
  if (rows[0]?.quick_check !== 'ok') say('damaged', `the database is damaged: ${rows[0]?.quick_check}`)
}

function isPartial(name: string): boolean {
  return /\.(part|partial|new|tmp)$/.test(name)
}

/** All files in a tree but those in its folder `.darkstream`, and but what fills the disk. */
function filesBelow(root: string): string[] {
  return readdirSync(root, { withFileTypes: true, recursive: true })
    .filter((entry) => !entry.isDirectory() && entry.name !== '.filler')
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.startsWith(join(root, '.darkstream')))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name !== '.filler')
  } catch {
    return []
  }
}
