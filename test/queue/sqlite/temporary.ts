import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Linux's folder of files in memory: real files, but a sync costs nothing. */
const memoryFolder = '/dev/shm'

/**
 * A new folder for databases, removed with `await using`. In memory where there is such a place, since most tests would
 * spend nearly all of their time in syncs; `on_disk` for those that are about what is on disk.
 */
export async function temporaryFolder(options: { on_disk: boolean } = { on_disk: false }) {
  const parent = !options.on_disk && existsSync(memoryFolder) ? memoryFolder : tmpdir()
  const path = await mkdtemp(join(parent, 'darkstream-queue-'))
  const remove = () => rm(path, { recursive: true, force: true })
  return { path, remove, [Symbol.asyncDispose]: remove }
}
