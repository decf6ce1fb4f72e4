import { rename, rm, utimes } from 'node:fs/promises'
import { ConversionError } from '../../contract/failure.ts'
import { sleep } from '../../util/clock.ts'
import { formatBytes } from '../../util/format.ts'
import { CacheFolder } from './cache-folder.ts'
import { type CacheLimits, CacheShares, type Share } from './cache-shares.ts'
import type { CachedSource, CacheRoom, RoomLimits } from './cached-source.ts'

/** Milliseconds between two looks whether room came free on the disk. */
const lookAgainMs = 1000

export interface SourceCacheOptions extends CacheLimits {
  folder: string
}

/** A source that is to be held. */
export interface WantedSource {
  /** Changes with its content. */
  name: string
  /** Bytes. */
  size: number
  /** Where its result will be, on the same disk, and no larger than it. */
  result_path: string
  /** The room that was taken for it; without it, it has none yet. */
  room?: CacheRoom | undefined
}

/**
 * Sources that came over the network, each under a name that changes with it. Room is set aside before a job is asked for.
 * What is in use is never touched; of the rest the longest unused go first.
 */
export class SourceCache {
  private readonly options: SourceCacheOptions
  private readonly folder: CacheFolder
  private readonly shares: CacheShares
  private readonly shareOf = new WeakMap<CacheRoom, Share>()
  private offering: Promise<unknown> = Promise.resolve()
  /** Claimed sources that need more room than was taken for them go before offers. */
  private growing: Promise<unknown> = Promise.resolve()
  private growths = 0
  private clearing: Promise<unknown> = Promise.resolve()

  constructor(options: SourceCacheOptions) {
    this.options = options
    this.folder = new CacheFolder(options.folder)
    this.shares = new CacheShares(this.folder, options)
  }

  /**
   * All the room that is left, for a source that is not known yet: one at a time, and as soon as there is any, or so many
   * bytes where that is told and the cache is as large. Undefined where nothing bounds it; throws the signal's reason.
   */
  async offer(signal: AbortSignal, least_bytes = 0): Promise<CacheRoom | undefined> {
    const { max_cache, min_free } = this.options
    if (max_cache === 0 && min_free === 0) return undefined
    const offered = this.offering.then(() => this.offerInTurn(least_bytes, signal))
    this.offering = offered.catch(() => {})
    return offered
  }

  /**
   * A source's place, with room for it: others that are not in use make it. Where it needs more than was taken for it, and
   * those in use have that, it is waited for.
   *
   * @throws ConversionError of class `worker` when it does not fit beside nothing; the signal's reason
   */
  async hold({ name, size, result_path, room }: WantedSource, signal: AbortSignal): Promise<CachedSource> {
    const share = this.shareIn(room)
    const [path, part_path] = [this.folder.pathOf(name), this.folder.partOf(name)]
    const release = () => this.shares.end(share)
    Object.assign(share, { source: { name, result_path }, isPlaced: false })
    this.shares.add(share)
    try {
      await this.folder.make()
      // What was about to go before this one was known has gone by then.
      const is_whole = await this.inTurn(() => this.folder.isWhole(name, size))
      if (share.bytes < size) await this.grow(share, size, is_whole, signal)
      else this.shares.resize(share, size)
      if (is_whole) await utimes(path, new Date(), new Date())
      // Room for its result, of one that is here.
      if (is_whole) await this.inTurn(() => this.clear(share))
      else await this.clearFor(share, signal)
      share.isPlaced = true
      const [keep, discard] = [() => rename(part_path, path), () => rm(part_path, { force: true })]
      return { path, part_path, is_whole, keep, discard, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** The folder. */
  get path(): string {
    return this.options.folder
  }

  /** Bytes of what is not in use: these can be had. */
  async spareBytes(): Promise<number> {
    return this.shares.spareBytes()
  }

  private async offerInTurn(least_bytes: number, signal: AbortSignal): Promise<CacheRoom> {
    await this.folder.make()
    const cache_bytes = await this.shares.wholeBytes()
    const least = least_bytes > cache_bytes ? 1 : Math.max(1, least_bytes)
    for (;;) {
      signal.throwIfAborted()
      const freed = this.shares.next()
      const share = { bytes: 0, isOffer: true }
      const isTurn = this.growths === 0 && !this.shares.isOffering
      const left = isTurn ? await this.shares.leftFor(share) : 0
      if (left >= least || this.shares.isEmpty) return this.open(share, { left, cache_bytes, freed })
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
  }

  private open(share: Share, at: { left: number; cache_bytes: number; freed: AbortSignal }): CacheRoom {
    const limits = (left: number): RoomLimits => {
      share.bytes = Math.max(0, left)
      const is_cache_free = this.shares.isAlone(share)
      return { max_source_bytes: share.bytes, cache_bytes: at.cache_bytes, is_cache_free }
    }
    const room: CacheRoom = {
      limits: limits(at.left),
      more: at.freed,
      widen: async () => {
        room.more = this.shares.next()
        room.limits = limits(await this.shares.leftFor(share))
      },
      take: (bytes) => {
        this.shares.resize(share, Math.min(share.bytes, bytes ?? 0))
        this.shares.settle(share)
      },
      release: () => this.shares.end(share),
    }
    this.shares.add(share)
    this.shareOf.set(room, share)
    return room
  }

  /** What was given back may be another's by now. */
  private shareIn(room: CacheRoom | undefined): Share {
    const share = room && this.shareOf.get(room)
    return share && this.shares.has(share) ? share : { bytes: 0, isOffer: false }
  }

  /** Room within the limit for a source of which more is known than when its room was taken. */
  private async grow(share: Share, size: number, isWhole: boolean, signal: AbortSignal): Promise<void> {
    // Two that wait for more while each keeps what the other needs would wait for ever.
    this.shares.resize(share, 0)
    this.growths++
    const grown = this.growing.then(() => this.growInTurn(share, size, isWhole, signal))
    this.growing = grown.catch(() => {})
    await grown.finally(() => this.growths--)
  }

  private async growInTurn(share: Share, size: number, isWhole: boolean, signal: AbortSignal): Promise<void> {
    const { max_cache } = this.options
    for (;;) {
      signal.throwIfAborted()
      const freed = this.shares.next()
      const others = this.shares.bytesBeside(share)
      if (max_cache === 0 || size <= max_cache - others || (isWhole && others === 0)) break
      if (others === 0) throw await this.doesNotFit(size)
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
    this.shares.resize(share, size)
  }

  /** Makes room on the disk. Where others have filled it meanwhile, the older job goes first. */
  private async clearFor(share: Share, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const freed = this.shares.next()
      const isFirst = this.shares.isFirst(share)
      if (await this.inTurn(() => this.clear(share))) return
      if (isFirst && this.shares.isFirst(share)) throw await this.doesNotFit(share.bytes)
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
  }

  /** One at a time looks at what is there, or removes it. */
  private inTurn<T>(step: () => Promise<T>): Promise<T> {
    const done = this.clearing.then(step)
    this.clearing = done.catch(() => {})
    return done
  }

  /** Removes what is not in use as long as there is need; whether its source has room now. */
  private async clear(share: Share): Promise<boolean> {
    for (;;) {
      const unused = await this.shares.unused()
      const [oldest] = unused
      if (!oldest || (await this.shares.doAllFit(unused))) return this.shares.hasRoom(share)
      await this.folder.remove(oldest)
    }
  }

  private async doesNotFit(size: number): Promise<ConversionError> {
    const { folder, max_cache, min_free } = this.options
    const what = `the source (${formatBytes(size)}) does not fit into the cache (${folder})`
    const room = formatBytes(Math.max(0, (await this.folder.disk()).free - min_free))
    const why =
      max_cache !== 0 && size > max_cache
        ? `storage.max_cache is ${formatBytes(max_cache)}: raise it, or mount the storage of the master here`
        : `its disk has ${room} for it, with storage.min_free (${formatBytes(min_free)}) to stay free: make room there`
    return new ConversionError(`${what}, ${why}, then retry the job`, { class: 'worker', step: 'stage' })
  }
}
