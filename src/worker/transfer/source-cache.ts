import { mkdir, readdir, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { ConversionError } from '../../contract/failure.ts'
import { sleep } from '../../util/clock.ts'
import { formatBytes } from '../../util/format.ts'

/** Milliseconds between two looks whether room came free. */
const lookAgainMs = 1000

export interface SourceCacheOptions {
  folder: string
  /** Bytes that sources may take; 0 for no limit. */
  max_cache: number
  /** Bytes that stay free on the disk; 0 does not check. */
  min_free: number
}

/** A source's place in the cache, held until it is let go. */
export interface CachedSource {
  path: string
  /** Where its bytes are gathered; those of an earlier try are there. */
  part_path: string
  /** Whether all of it is there. */
  is_whole: boolean
  /** All of it is there, and right. */
  keep: () => Promise<void>
  /** What was gathered is no use. */
  discard: () => Promise<void>
  release: () => void
}

/** Sources that came over the network, each under a name that changes with it. The longest unused go first. */
export class SourceCache {
  private readonly options: SourceCacheOptions
  /** Bytes of those in use, whether they are there or on their way. */
  private readonly held = new Map<string, number>()
  private turn: Promise<unknown> = Promise.resolve()

  constructor(options: SourceCacheOptions) {
    this.options = options
  }

  /**
   * A source's place, with room for it: others that are not in use make it, and where those in use take it, it is waited for.
   *
   * @throws ConversionError of class `worker` when it does not fit beside nothing; the signal's reason
   */
  async hold(name: string, size: number, signal: AbortSignal): Promise<CachedSource> {
    const held = this.turn.then(() => this.holdInTurn(name, size, signal))
    this.turn = held.catch(() => {})
    return held
  }

  private async holdInTurn(name: string, size: number, signal: AbortSignal): Promise<CachedSource> {
    const { folder } = this.options
    const path = join(folder, name)
    const part_path = `${path}.part`
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const is_whole = (await sizeOf(path)) === size
    this.held.set(name, size)
    try {
      if (!is_whole) await this.makeRoom(name, size, signal)
      else await utimes(path, new Date(), new Date())
    } catch (error) {
      this.held.delete(name)
      throw error
    }
    return {
      path,
      part_path,
      is_whole,
      keep: () => rename(part_path, path),
      discard: () => rm(part_path, { force: true }),
      release: () => void this.held.delete(name),
    }
  }

  private async makeRoom(name: string, size: number, signal: AbortSignal): Promise<void> {
    const { folder } = this.options
    for (;;) {
      signal.throwIfAborted()
      const unused = await this.unused()
      const lacking = await this.lacking(name, size, unused)
      if (lacking <= 0) return
      const [oldest] = unused
      if (oldest) await rm(join(folder, oldest.name), { force: true })
      else if (this.held.size > 1) await sleep(lookAgainMs, signal)
      else throw this.doesNotFit(size)
    }
  }

  /** Bytes too few. */
  private async lacking(name: string, size: number, unused: readonly Entry[]): Promise<number> {
    const { folder, max_cache, min_free } = this.options
    const kept = unused.reduce((sum, entry) => sum + entry.size, 0)
    const held = [...this.held.values()].reduce((sum, bytes) => sum + bytes, 0)
    const overLimit = max_cache === 0 ? 0 : kept + held - max_cache
    if (min_free === 0) return overLimit
    const { bavail, bsize } = await statfs(folder)
    const here = await sizeOf(join(folder, `${name}.part`))
    return Math.max(overLimit, size - here + min_free - bavail * bsize)
  }

  /** What is not in use, the longest unused first. */
  private async unused(): Promise<Entry[]> {
    const { folder } = this.options
    const names = (await readdir(folder)).filter((name) => !this.held.has(name.replace(/\.part$/, '')))
    const entries = await Promise.all(
      names.map(async (name) => {
        const found = await stat(join(folder, name)).catch(() => undefined)
        return found ? [{ name, size: found.size, used: found.mtimeMs }] : []
      }),
    )
    return entries.flat().toSorted((one, other) => one.used - other.used)
  }

  private doesNotFit(size: number): ConversionError {
    const { folder, max_cache, min_free } = this.options
    const limits = `storage.max_cache (${formatBytes(max_cache)}) and storage.min_free (${formatBytes(min_free)})`
    return new ConversionError(`the source (${formatBytes(size)}) does not fit into ${folder} by ${limits}`, {
      class: 'worker',
      step: 'stage',
    })
  }
}

interface Entry {
  name: string
  size: number
  /** Milliseconds UTC. */
  used: number
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}
