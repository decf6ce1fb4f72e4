import { lstat, mkdir, open, rm, rmdir, symlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { ConversionError, type FailureClass } from '../contract/failure.ts'
import { errnoOf } from '../util/errno.ts'
import { syncPath } from '../util/sync-path.ts'

/**
 * Makes a conversion's work folder and gives a path in it that leads to the source: a link with no extension, so that
 * no user's name reaches ffmpeg (one that ends in `.png` would be read by extension alone). Where links cannot be made,
 * as on Windows, it is the source's own path.
 */
export async function openWork(workPath: string, sourcePath: string): Promise<string> {
  try {
    await mkdir(workPath, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw stageError('the work folder', error)
  }
  const source = resolve(sourcePath)
  const link = join(workPath, 'in')
  try {
    await symlink(source, link)
    return link
  } catch {
    return source
  }
}

/** Makes the staging file and its folder, so that what forbids it is told by the system and not by ffmpeg. */
export async function openStaging(stagingPath: string): Promise<void> {
  try {
    await mkdir(dirname(stagingPath), { recursive: true })
    await (await open(stagingPath, 'w')).close()
  } catch (error) {
    throw stageError('the output folder', error)
  }
}

/** Puts a staging file and its name on the disk, so that a power cut after this loses neither. */
export async function syncStaging(stagingPath: string): Promise<void> {
  try {
    await syncPath(stagingPath, 'r+')
    // Windows opens no folders.
    if (process.platform !== 'win32') await syncPath(dirname(stagingPath), 'r')
  } catch (error) {
    throw stageError('the output folder', error)
  }
}

/** Removes a staging file, if it is a plain file, and the attempt's folder around it, if nothing else is in it. */
export async function removeStaging(stagingPath: string): Promise<void> {
  // A path that was given wrongly may lead to a device, and we may be root.
  const isPlain = (await lstat(stagingPath).catch(() => undefined))?.isFile() ?? false
  if (isPlain) await rm(stagingPath, { force: true }).catch(() => {})
  await rmdir(dirname(stagingPath)).catch(() => {})
}

/** Removes a conversion's work folder; the link in it goes, not the source. */
export async function removeWork(workPath: string): Promise<void> {
  await rm(workPath, { recursive: true, force: true }).catch(() => {})
}

/** By errno: what is wrong with a folder that we write to, and who may do better. */
const stageFailures: Record<string, [reason: string, failureClass: FailureClass]> = {
  EACCES: ['permission denied', 'worker'],
  EPERM: ['permission denied', 'worker'],
  EROFS: ['the file system is read-only', 'retryable'],
  ENOENT: ['it does not exist and cannot be made', 'worker'],
  ENOTDIR: ['a part of its path is a file, not a folder', 'worker'],
  EEXIST: ['a part of its path is a file, not a folder', 'worker'],
  EISDIR: ['a folder is in the way', 'worker'],
  ENAMETOOLONG: ['its path is too long', 'permanent'],
  ENOSPC: ['the disk is full', 'retryable'],
  EDQUOT: ['the disk quota is used up', 'retryable'],
}

function stageError(folder: string, error: unknown): ConversionError {
  const code = errnoOf(error)
  const [reason, failureClass] = stageFailures[code ?? ''] ?? [code ?? String(error), 'retryable']
  return new ConversionError(`${folder} cannot be written: ${reason}`, { class: failureClass, step: 'stage' })
}
