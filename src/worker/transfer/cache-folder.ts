import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

/** What a source is called while it is gathered, beside its name. */
const partEnding = '.part'

/** A file in the cache that is not in use. */
export interface CacheEntry {
  name: string
  /** Bytes. */
  size: number
  /** Milliseconds UTC. */
  used: number
}

/** What lies in the folder of a cache, and on its disk. A source is whole under its name, or gathered beside it. */
export class CacheFolder {
  private readonly path: string

  constructor(path: string) {
    this.path = path
  }

  async make(): Promise<void> {
    await mkdir(this.path, { recursive: true, mode: 0o700 })
  }

  pathOf(name: string): string {
    return join(this.path, name)
  }

  partOf(name: string): string {
    return join(this.path, `${name}${partEnding}`)
  }

  /** All but the sources of these names, the longest unused first. */
  async others(names: ReadonlySet<string>): Promise<CacheEntry[]> {
    const there = await readdir(this.path).catch(() => [])
    const others = there.filter(
      (name) => !names.has(name.endsWith(partEnding) ? name.slice(0, -partEnding.length) : name),
    )
    const entries = await Promise.all(
      others.map(async (name) => {
        const found = await stat(join(this.path, name)).catch(() => undefined)
        return found ? [{ name, size: found.size, used: found.mtimeMs }] : []
      }),
    )
    return entries.flat().toSorted((one, other) => one.used - other.used)
  }

  async remove({ name }: CacheEntry): Promise<void> {
    await rm(join(this.path, name), { force: true })
  }

  /** Whether all of a source is here; of an empty one too, a file must be. */
  async isWhole(name: string, size: number): Promise<boolean> {
    return stat(this.pathOf(name)).then(
      (found) => found.size === size,
      () => false,
    )
  }

  /** Bytes of a source that are here. */
  async hereOf(name: string): Promise<number> {
    return Math.max(await sizeOf(this.pathOf(name)), await sizeOf(this.partOf(name)))
  }

  /** Bytes that may still be written to its disk, and that there would be on it if nothing were. */
  async disk(): Promise<{ free: number; whole: number }> {
    const { blocks, bfree, bavail, bsize } = await statfs(this.path)
    // Some are kept for root.
    return { free: bavail * bsize, whole: (blocks - bfree + bavail) * bsize }
  }
}

/** Bytes of a file; 0 where there is none. */
export async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
