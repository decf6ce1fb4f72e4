import { createHash } from 'node:crypto'
import { lstat, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, extname, join } from 'node:path'
import type { Job } from '../contract/job.ts'
import { syncPath } from '../util/sync-path.ts'
import { moveToFreeName, NameTakenError, syncFolders } from './moves.ts'

/** The folder in the output tree that is ours: no scanner looks into it. */
export const ownFolder = '.darkstream'

/**
 * Where an attempt leaves its result. One folder an attempt, named by job and number, so that two attempts never meet;
 * on the output's own file system, so that publication is a rename.
 */
export function stagingPath(output_base: string, job: Pick<Job, 'id' | 'attempt' | 'output_path'>): string {
  return join(output_base, ownFolder, 'work', attemptFolder(job), `result${extname(job.output_path)}`)
}

/** The name of an attempt's folder. Ids of the original hold file names; what goes into a path of ours is letters, digits, dots and dashes. */
export function attemptFolder(job: Pick<Job, 'id' | 'attempt'>): string {
  const isPlain = /^[\w-][\w.-]{0,127}$/.test(job.id)
  return `${isPlain ? job.id : createHash('sha256').update(job.id).digest('hex')}.${job.attempt}`
}

/** Milliseconds after which a proof of the storage is nobody's any more. */
const oldProofMs = 300_000

/** A result that cannot be published, in a sentence. */
export class PublishError extends Error {}

/** A file as it lies under its name. */
export interface PublishedFile {
  size_bytes: number
  /** UTC. */
  mtime_ms: number
}

/**
 * Moves a staged result to its output path, durably: content, then name. The result carries its source's modification
 * time, so that a converted library sorts as the original does. Without `replace` no file is ever replaced, not even
 * one that appears at this moment.
 *
 * @throws PublishError when the staged file is not what the worker said, or the move fails
 */
export async function publish(
  staged: string,
  job: Job,
  result: { output_size: number; replace: boolean },
): Promise<PublishedFile> {
  try {
    const found = await lstat(staged)
    if (!found.isFile()) throw new PublishError('the staged result is not a file')
    if (found.size !== result.output_size) {
      throw new PublishError(`the staged result has ${found.size} bytes, its worker said ${result.output_size}`)
    }
    await takeOverTime(staged, job)
    await syncPath(staged)
    const firstMade = await mkdir(dirname(job.output_path), { recursive: true })
    await (result.replace ? rename : (from: string, to: string) => moveToFreeName(from, to))(staged, job.output_path)
    await syncFolders(dirname(job.output_path), firstMade)
    const { size, mtimeMs } = await lstat(job.output_path)
    return { size_bytes: size, mtime_ms: Math.floor(mtimeMs) }
  } catch (error) {
    if (error instanceof PublishError) throw error
    if (error instanceof NameTakenError) throw new PublishError(error.message, { cause: error })
    throw new PublishError(`cannot publish to ${job.output_path}: ${(error as Error).message}`, { cause: error })
  }
}

/** The file at a path; undefined when there is none. */
export async function fileAt(path: string): Promise<PublishedFile | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? { size_bytes: found.size, mtime_ms: Math.floor(found.mtimeMs) } : undefined),
    () => undefined,
  )
}

/** Removes what an attempt left in its staging folder, if anything. What cannot be removed now is swept later. */
export async function discardStaged(staged: string): Promise<void> {
  await rm(dirname(staged), { recursive: true, force: true }).catch(() => {})
}

/** Removes the staging folders of all attempts but the running ones. */
export async function sweepStaging(output_base: string, running: () => Promise<readonly Job[]>): Promise<void> {
  const work = join(output_base, ownFolder, 'work')
  await sweepProofs(work)
  // The folder first: an attempt that starts after this line is in neither list.
  const folders = (await readdir(work).catch(() => [])).filter((name) => /^[\w-][\w.-]*\.\d+$/.test(name))
  if (folders.length === 0) return
  const kept = new Set((await running()).map(attemptFolder))
  for (const folder of folders) {
    if (!kept.has(folder)) await rm(join(work, folder), { recursive: true, force: true }).catch(() => {})
  }
}

/** Removes proofs of the storage that a master which was killed has left: a live one's are gone within a minute. */
async function sweepProofs(work: string): Promise<void> {
  const names = (await readdir(work).catch(() => [])).filter((name) => /^proof-[0-9a-f-]{36}(-answer)?$/.test(name))
  for (const name of names) {
    const found = await lstat(join(work, name)).catch(() => undefined)
    if (found && Date.now() - found.mtimeMs > oldProofMs) await rm(join(work, name), { force: true }).catch(() => {})
  }
}

/** Only the owner of a file may set its times; a worker under another user leaves the result with the time it was made. */
export async function takeOverTime(staged: string, job: Job): Promise<void> {
  if (job.source_mtime_ms === null || job.source_mtime_ms < 0) return
  await utimes(staged, new Date(), new Date(job.source_mtime_ms)).catch(() => {})
}
