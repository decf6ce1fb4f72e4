import { lstat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'
import type { Job } from '../../contract/job.ts'
import type { NewReplacement, StoredReplacement } from '../../queue/replacements.ts'
import { syncPath } from '../../util/sync-path.ts'
import type { Parts } from '../parts.ts'
import { PublishError, type PublishedFile, stagingPath, takeOverTime } from '../publish.ts'
import { isPlaceFit } from './fitness.ts'
import { isStorageThere, keptPath, openOriginals } from './originals.ts'
import { takeOverRights } from './rights.ts'
import { ChangedMeanwhileError, swap } from './swap.ts'

/**
 * Makes a staged result ready to take its source's place: checks both files, gives it the source's rights and time, and
 * flushes it to the disk. Nothing that counts is changed yet. With a note, a sentence, where the rights are not the same.
 *
 * @throws PublishError when that cannot be; ChangedMeanwhileError when the source is not the file that was converted
 */
export async function prepareReplacement(
  { root_path, output_base, replace }: Pick<Parts, 'root_path' | 'output_base' | 'replace'>,
  job: Job,
  output_size: number,
): Promise<{ replacement: NewReplacement; notes: string[] }> {
  const { source_path, output_path } = job
  const staged_path = stagingPath(output_base, job)
  try {
    if (!(await isPlaceFit(job))) throw new PublishError(`the result cannot lie at ${output_path}: another file does`)
    await checkStaged(staged_path, output_size)
    const source = await lstat(source_path)
    const isSame = source.size === job.source_size && Math.floor(source.mtimeMs) === job.source_mtime_ms
    if (!source.isFile() || !isSame) throw new ChangedMeanwhileError(`the file at ${source_path} changed meanwhile`)
    const note = await takeOverRights(staged_path, source)
    await takeOverTime(staged_path, job)
    await syncPath(staged_path)
    await openOriginals(root_path)
    const kept_path = keptPath(root_path, job)
    await expectUnused(dirname(kept_path))
    const { size, mtimeMs } = await lstat(staged_path)
    const replacement: NewReplacement = {
      job_id: job.id,
      attempt: job.attempt,
      original_path: source_path,
      original_size: source.size,
      original_mtime_ms: Math.floor(source.mtimeMs),
      kept_path,
      staged_path,
      result_path: output_path,
      result_size: size,
      result_mtime_ms: Math.floor(mtimeMs),
      keep_ms: replace.keep_originals_ms,
    }
    return { replacement, notes: note === null ? [] : [note] }
  } catch (error) {
    if (error instanceof PublishError) throw error
    throw new PublishError(`cannot replace ${source_path}, nothing was changed: ${(error as Error).message}`, {
      cause: error,
    })
  }
}

/** A result of no bytes was checked by nobody. */
async function checkStaged(staged_path: string, output_size: number): Promise<void> {
  const staged = await lstat(staged_path)
  if (!staged.isFile() || staged.nlink > 1) throw new PublishError('the staged result is not a file of its own')
  if (staged.size !== output_size || output_size === 0) {
    throw new PublishError(`the staged result has ${staged.size} bytes, its worker said ${output_size}`)
  }
}

/** A journal that was lost, or is an older copy, may have kept another original under this name. */
async function expectUnused(folder: string): Promise<void> {
  const found = await lstat(folder).catch(() => undefined)
  if (found) throw new PublishError(`there is something at ${folder} that this queue knows nothing of`)
}

/**
 * Moves what the journal notes: the result to its place, the original aside; the file as it then lies there.
 *
 * @throws as `swap` does; DarkstreamError `unavailable` while the storage is not mounted, when nothing can be said
 */
export async function replaceSource(
  noted: StoredReplacement,
  { replace }: Pick<Parts, 'replace'>,
): Promise<PublishedFile> {
  if (!(await isStorageThere(noted))) {
    throw new DarkstreamError(
      'unavailable',
      `nothing is where ${noted.original_path} should be: is its storage mounted?`,
    )
  }
  const arriving = { size_bytes: noted.result_size, mtime_ms: noted.result_mtime_ms }
  await swap(
    {
      from: noted.staged_path,
      arriving,
      to: noted.result_path,
      old: noted.original_path,
      leaving: { size_bytes: noted.original_size, mtime_ms: noted.original_mtime_ms },
      aside: noted.kept_path,
      mayBeGone: false,
    },
    replace.moves,
  )
  return arriving
}
