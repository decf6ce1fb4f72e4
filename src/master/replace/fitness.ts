import { constants } from 'node:fs'
import { access, lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { Container } from '../../contract/conversion.ts'
import type { Job } from '../../contract/job.ts'
import { rivalNames, replacementCandidates } from '../outputs.ts'
import { openOriginals } from './originals.ts'

/** Why a source is not to be replaced at all, or cannot be now; a sentence. */
export type Unfit = { skip: string } | { fail: string }

/** Looks, before any work is done, whether a result could take a source's place; undefined when it could. */
export async function whyNotReplaced(
  { source_path }: Pick<Job, 'source_path'>,
  { root_path, hard_links }: { root_path: string; hard_links: 'skip' | 'replace' },
): Promise<Unfit | undefined> {
  const [real, realRoot] = await Promise.all([realpath(source_path), realpath(root_path)])
  if (real.normalize() !== join(realRoot, relative(root_path, source_path)).normalize()) {
    return { skip: 'a symbolic link leads to it: only files that lie in scanner.root_path itself are replaced' }
  }
  const found = await lstat(source_path)
  if (!found.isFile()) return { fail: 'it is not a plain file' }
  if (found.nlink > 1 && hard_links === 'skip') {
    return { skip: `it has ${found.nlink} names (hard links): set replace.hard_links: replace to convert this one` }
  }
  const folder = dirname(source_path)
  if ((await stat(folder)).dev !== (await stat(root_path)).dev) {
    return {
      fail: `${folder} is on another file system than ${root_path}, where originals are kept: let a master of its own have it as scanner.root_path`,
    }
  }
  const isAllowed = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  )
  if (!isAllowed) return { fail: `the master may not write to ${folder}, and so cannot replace what lies there` }
  return openOriginals(root_path).then(
    () => undefined,
    (error: Error) => ({ fail: `originals cannot be kept aside: ${error.message}` }),
  )
}

/**
 * Where the result of a source that is replaced may lie, in order of preference, by what lies in its folder now. A file that
 * is there is in the way, also an earlier result: what that was made of may be kept nowhere else.
 */
export async function freePlaces(source_path: string, container: Container): Promise<string[]> {
  const names = await readdir(dirname(source_path))
  const siblings = rivalNames(names)(basename(source_path))
  const candidates = replacementCandidates(source_path, container, siblings)
  const isFree = await Promise.all(candidates.map(async (path) => path === source_path || isMissing(path)))
  return candidates.filter((_, index) => isFree[index])
}

/** Whether a job's output path is one at which its result can take its source's place now. */
export async function isPlaceFit({ source_path, output_path }: Pick<Job, 'source_path' | 'output_path'>) {
  if (output_path === source_path) return true
  return dirname(output_path) === dirname(source_path) && isMissing(output_path)
}

async function isMissing(path: string): Promise<boolean> {
  return lstat(path).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOENT',
  )
}
