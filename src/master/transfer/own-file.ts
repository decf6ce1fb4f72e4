import { constants } from 'node:fs'
import { type FileHandle, lstat, mkdir, open, realpath } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { DarkstreamError } from '../../contract/error.ts'

/**
 * Opens a staging file to be appended to, and makes it with its folder. Workers with a mount may write beside it, and could lay
 * a link there to any file that the master may write: it is opened only where it is a plain file with one name, at its real
 * place, and nothing is written before that is known.
 *
 * @throws DarkstreamError `forbidden` when it is not; or the file system's error
 */
export async function openOwnFile(staged: string): Promise<FileHandle> {
  const folder = dirname(staged)
  await mkdir(folder, { recursive: true })
  const expected = join(await realPlaceOf(folder), relative(folder, staged))
  const { O_RDWR, O_CREAT, O_APPEND } = constants
  // Windows has no such flag, nor links that anybody may make.
  const file = await open(expected, O_RDWR | O_CREAT | O_APPEND | (constants.O_NOFOLLOW ?? 0)).catch(
    (error: unknown) => {
      throw (error as NodeJS.ErrnoException).code === 'ELOOP' ? isLinked(staged) : error
    },
  )
  try {
    // Again, now that it is open: a folder on the way may have been changed for a link meanwhile.
    const [opened, there] = [await file.stat(), await lstat(expected)]
    const isPlain = opened.isFile() && opened.nlink === 1
    const isThere = opened.ino === there.ino && opened.dev === there.dev && (await realpath(staged)) === expected
    if (!isPlain || !isThere) throw isLinked(staged)
    return file
  } catch (error) {
    await file.close()
    throw error
  }
}

/** Of `BASE/.darkstream/work/ATTEMPT`: only the base may be reached by links, which its owner has set. */
async function realPlaceOf(folder: string): Promise<string> {
  const base = dirname(dirname(dirname(folder)))
  return join(await realpath(base), relative(base, folder))
}

function isLinked(staged: string): DarkstreamError {
  return new DarkstreamError('forbidden', `what lies at ${staged} is a link or behind one: it is not written to`)
}
