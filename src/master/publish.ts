import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Container } from '../contract/conversion.ts'
import type { Job } from '../contract/job.ts'

/** The folder in the output tree that is ours: no scanner looks into it. */
export const ownFolder = '.darkstream'

/**
 * Where an attempt leaves its result. One folder an attempt, named by job and number, so that two attempts never meet;
 * on the output's own file system, so that publication is a rename.
 */
export function stagingPath(output_base: string, job: Pick<Job, 'id' | 'attempt'>, container: Container): string {
  return join(output_base, ownFolder, 'work', attemptFolder(job), `result.${container}`)
}

/** Ids of the original hold file names; what goes into a path of ours is letters, digits, dots and dashes. */
function attemptFolder(job: Pick<Job, 'id' | 'attempt'>): string {
  const isPlain = /^[\w-][\w.-]{0,127}$/.test(job.id)
  return `${isPlain ? job.id : createHash('sha256').update(job.id).digest('hex')}.${job.attempt}`
}

/** A result that cannot be published, in a sentence. */
export class PublishError extends Error {}

/**
 * Moves a staged result to its output path, durably: content, then name. The result carries its source's modification
 * time, so that a converted library sorts as the original does.
 *
 * @throws PublishError when the staged file is not what the worker said, or the move fails
 */
export async function publish(staged: string, job: Job, output_size: number): Promise<void> {
  try {
    const found = await lstat(staged)
    if (!found.isFile()) throw new PublishError('the staged result is not a file')
    if (found.size !== output_size) {
      throw new PublishError(`the staged result has ${found.size} bytes, its worker said ${output_size}`)
    }
    await takeOverTime(staged, job)
    await sync(staged)
    const firstMade = await mkdir(dirname(job.output_path), { recursive: true })
    await rename(staged, job.output_path)
    await syncFolders(dirname(job.output_path), firstMade)
  } catch (error) {
    if (error instanceof PublishError) throw error
    throw new PublishError(`cannot publish to ${job.output_path}: ${(error as Error).message}`, { cause: error })
  }
}

/** Bytes of the file at a path; undefined when there is none. */
export async function fileSize(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  )
}

/** Removes what an attempt left in its staging folder, if anything. */
export async function discardStaged(staged: string): Promise<void> {
  await rm(dirname(staged), { recursive: true, force: true })
}

/** Removes the staging folders of all attempts but those that `isRunning` names, and says how many. */
export async function sweepStaging(output_base: string, running: () => Promise<readonly Job[]>): Promise<number> {
  const work = join(output_base, ownFolder, 'work')
  // The folder first: an attempt that starts after this line is in neither list.
  const folders = await readdir(work).catch(() => [])
  if (folders.length === 0) return 0
  const kept = new Set((await running()).map(attemptFolder))
  const leftovers = folders.filter((folder) => !kept.has(folder))
  for (const folder of leftovers) await rm(join(work, folder), { recursive: true, force: true })
  return leftovers.length
}

/** Only the owner of a file may set its times; a worker under another user leaves the result with the time it was made. */
async function takeOverTime(staged: string, job: Job): Promise<void> {
  if (job.source_mtime_ms === null || job.source_mtime_ms < 0) return
  await utimes(staged, new Date(), new Date(job.source_mtime_ms)).catch(() => {})
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Syncs a folder and, when parents of it were just made, their entries too. */
async function syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
  const last = firstMade === undefined ? folder : dirname(firstMade)
  for (let path = folder; ; path = dirname(path)) {
    // Windows and some network file systems have no sync of folders.
    await sync(path).catch(() => {})
    if (path === last || path === dirname(path)) return
  }
}
