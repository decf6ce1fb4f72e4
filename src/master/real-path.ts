import { realpath } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'

/** Whether a path is the folder or lies in it; both absolute. */
export function isInside(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)
}

/** The real path of what may not exist yet: of its nearest parent that does, and the rest as it is. */
export async function realpathOfMissing(path: string): Promise<string> {
  const parent = dirname(path)
  if (parent === path) return path
  return realpath(path).catch(async () => join(await realpathOfMissing(parent), basename(path)))
}
