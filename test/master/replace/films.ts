import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Assignment } from '../../../src/contract/job.ts'
import { jobId } from '../../../src/master/outputs.ts'
import type { TestMaster } from '../../support/master.ts'

const asker = { worker_id: 'w', boot_id: 'boot' }

/** Adds a film to a master in replace mode and claims it as our own worker does. */
export async function claimFilm(master: TestMaster, name = 'film.mkv', content = 'the original'): Promise<Assignment> {
  await master.addSource(name, content)
  return claimNext(master, name)
}

export async function claimNext(master: TestMaster, name: string): Promise<Assignment> {
  const job = await master.api.claim({ ...asker, request_id: crypto.randomUUID() })
  if (job?.id !== jobId(join(master.root_path, name))) throw new Error(`not the job of ${name}: ${job?.source_path}`)
  return job
}

/** Hands in a result for a claim. */
export async function handIn(master: TestMaster, job: Assignment, content = 'result') {
  const output_size = master.stage(job.staging_path, content)
  return master.api.complete({ job_id: job.id, worker_id: 'w', attempt: job.attempt, output_size })
}

/** Adds a film and lets a result take its place; the id of its job. */
export async function replaceFilm(master: TestMaster, name = 'film.mkv', content = 'the original'): Promise<string> {
  const job = await claimFilm(master, name, content)
  const { status, message } = await handIn(master, job)
  if (status !== 'completed') throw new Error(`not replaced: ${message}`)
  return job.id
}

export function textOf(master: TestMaster, name: string): string | undefined {
  const path = join(master.root_path, name)
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/** All files below the root with their texts; ours by the last parts of their paths, `originals/film.mkv`. */
export function filesOf(root: string): Record<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory())
  const named = files.map(({ parentPath, name }) => {
    const path = join(parentPath, name)
    const shown = path.slice(root.length + 1).replace(/^\.darkstream\/(\w+)\/[^/]+\//, '$1/')
    return [shown, readFileSync(path, 'utf8')] as const
  })
  return Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Writes a file below the root, last modified at a time in seconds. */
export function write(root: string, name: string, content: string, mtime = 1_700_000_000): string {
  const path = join(root, name)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, content)
  utimesSync(path, mtime, mtime)
  return path
}

/** Tells the master of a file as a scan would find it. */
export async function scan(master: TestMaster, name: string, output_paths: string[]) {
  const source_path = join(master.root_path, name)
  const { size, mtimeMs } = statSync(source_path)
  const found = { id: jobId(source_path), source_path, source_size: size, source_mtime_ms: Math.floor(mtimeMs) }
  return master.store.addSources([{ ...found, output_paths, problem: null }])
}
