import { accessSync, constants, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { DarkstreamError } from '../contract/error.ts'
import { ownFolder } from '../master/publish.ts'
import { UsageError } from './usage.ts'

/** The two that `start` is given, absolute. */
export interface StartFolders {
  source: string
  output: string
}

/** Behind all links: the same folder is the same queue, whatever way leads to it. What is not there is told later. */
export function realFolder(given: string | undefined): string {
  const path = resolve(given ?? '')
  return existsSync(path) ? realpathSync(path) : path
}

/** Makes sure of the two folders: the source must be there and readable, the output is made. */
export function openFolders({ source, output }: StartFolders): void {
  refuseMissing(source)
  attempt(`write to OUTPUT ${output}`, () => {
    mkdirSync(join(output, ownFolder), { recursive: true })
    accessSync(join(output, ownFolder), constants.W_OK)
    accessSync(output, constants.W_OK)
  })
}

/** Throws a sentence for a source that is no folder, or may not be read. */
export function refuseMissing(source: string): void {
  const found = statSync(source, { throwIfNoEntry: false })
  if (!found?.isDirectory()) throw new UsageError(`SOURCE ${source} is not a folder`)
  attempt(`read SOURCE ${source}`, () => accessSync(source, constants.R_OK | constants.X_OK))
}

/** Does what the system may refuse, and says so in a sentence when it does. */
function attempt(what: string, act: () => void): void {
  try {
    act()
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? (error as Error).message
    throw new DarkstreamError('unavailable', `cannot ${what}: ${why}`, { cause: error })
  }
}
