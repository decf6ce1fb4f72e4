import { accessSync, closeSync, constants, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { whyRefused } from '../util/file-error.ts'

const { R_OK, W_OK, X_OK } = constants

/** Why a file could not be written, or made with the folders above it; undefined where it could. Changes nothing. */
export function whyNotWritten(path: string): string | undefined {
  const full = resolve(path)
  if (!existsSync(full)) return whyNotMade(full)
  if (statSync(full).isDirectory()) return `${full} is a folder`
  return ifRefused(
    () => accessSync(full, R_OK | W_OK),
    (why) => `cannot write ${full}: ${why}`,
  )
}

/** Why a folder could not be made where it is not there, or written to where it is. */
export function whyNoRoom(path: string): string | undefined {
  const full = resolve(path)
  return existsSync(full) ? whyFolderIsShut(full, W_OK) : whyNotMade(full)
}

/** Why a folder cannot be looked into; undefined where it can. */
export function whyNoFolder(path: string): string | undefined {
  const full = resolve(path)
  return existsSync(full) ? whyFolderIsShut(full, R_OK) : `there is no folder ${full}: is its storage mounted?`
}

/** Why the shared storage seems not to be mounted. */
export function whyNotMounted(path: string): string | undefined {
  const why = whyNoFolder(path)
  if (why !== undefined) return why
  return readdirSync(path).length === 0 ? `${path} is empty: is its storage mounted?` : undefined
}

/** Whether a file with a secret can be read by every user of this host. */
export function whyNotSecret(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  // Windows keeps other books.
  if (!found?.isFile() || (found.mode & 0o004) === 0 || process.platform === 'win32') return undefined
  return `every user of this host can read it in ${path}: chmod o-r ${path}`
}

/** Why a queue could not be kept in a file; one that is not there is made. */
export function whyNoDatabase(path: string): string | undefined {
  const why = whyNotWritten(path) ?? whyNoRoom(dirname(path))
  if (why !== undefined || !existsSync(path)) return why
  const begin = Buffer.alloc(16)
  const file = openSync(path, 'r')
  const length = readSync(file, begin)
  closeSync(file)
  // The first bytes of every SQLite file, https://www.sqlite.org/fileformat.html; an empty one becomes a database.
  const isDatabase = length === 0 || begin.toString('latin1') === 'SQLite format 3\0'
  return isDatabase ? undefined : `${path} is not a SQLite database: name another database.path`
}

function whyNotMade(path: string): string | undefined {
  let above = dirname(path)
  while (!existsSync(above)) above = dirname(above)
  const why = whyFolderIsShut(above, W_OK)
  return why && `${path} cannot be made: ${why}`
}

function whyFolderIsShut(path: string, right: number): string | undefined {
  if (!statSync(path).isDirectory()) return `${path} is no folder`
  const verb = right === W_OK ? 'write to' : 'read'
  return ifRefused(
    () => accessSync(path, right | X_OK),
    (why) => `cannot ${verb} ${path}: ${why}`,
  )
}

function ifRefused(act: () => void, tell: (why: string) => string): string | undefined {
  try {
    act()
    return undefined
  } catch (error) {
    return tell(whyRefused(error))
  }
}
