import { link, lstat, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { errnoOf } from '../util/errno.ts'
import { syncPath } from '../util/sync-path.ts'

/** The system calls that change which name a file has. They are handed in, so that tests can end the process between two. */
export interface Moves {
  link: (from: string, to: string) => Promise<void>
  rename: (from: string, to: string) => Promise<void>
  unlink: (path: string) => Promise<void>
}

export const systemMoves: Moves = { link, rename, unlink }

/** Some network and FAT file systems have no second names, and some systems give none to another user's file. */
const noSecondNames = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** A name that a file should get and that another one has. */
export class NameTakenError extends Error {
  constructor(path: string) {
    super(`a file appeared at ${path} meanwhile: move it away and retry`)
  }
}

/**
 * Gives a file a second name; whether the file system has such.
 *
 * @throws NameTakenError, or the file system's error
 */
export async function linkTo(from: string, to: string, moves: Moves): Promise<boolean> {
  try {
    await moves.link(from, to)
    return true
  } catch (error) {
    const code = errnoOf(error) ?? ''
    const isTaken = code === 'EEXIST' || (await lstat(to).catch(() => undefined)) !== undefined
    if (isTaken) throw new NameTakenError(to)
    if (!noSecondNames.has(code)) throw error
    return false
  }
}

/**
 * A rename that fails when the name is taken: a second name for the file, which no system gives over an existing one.
 *
 * @throws NameTakenError, or the file system's error
 */
export async function moveToFreeName(from: string, to: string, moves: Moves = systemMoves): Promise<void> {
  if (await linkTo(from, to, moves)) await moves.unlink(from)
  else await moves.rename(from, to)
}

/** Syncs a folder and, when parents of it were just made, their entries too. */
export async function syncFolders(folder: string, firstMade?: string): Promise<void> {
  const last = firstMade === undefined ? folder : dirname(firstMade)
  for (let path = folder; ; path = dirname(path)) {
    // Windows and some network file systems have no sync of folders.
    await syncPath(path).catch(() => {})
    if (path === last || path === dirname(path)) return
  }
}
