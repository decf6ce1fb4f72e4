import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Lends a new folder in a base, or in the system's folder for such, until what uses it has ended. Rejects as that does, or
 * with a sentence when no folder can be made, as on a full disk.
 */
export async function inTemporaryFolder<T>(
  { base = tmpdir(), prefix }: { base?: string | undefined; prefix: string },
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(base, prefix)).catch((error: Error) => {
    throw new Error(`no temporary folder can be made: ${error.message}`, { cause: error })
  })
  try {
    return await use(folder)
  } finally {
    // What is left is for the base's owner to remove: it takes nothing from what was found.
    await rm(folder, { recursive: true, force: true }).catch(() => {})
  }
}
