import { rename, rm, utimes } from 'node:fs/promises'
import { ConversionError } from '../../contract/failure.ts'
import { Pulse, sleep } from '../../util/clock.ts'
import { formatBytes } from '../../util/format.ts'
import { type CacheEntry, CacheFolder, sizeOf } from './cache-folder.ts'
import type { CachedSource, CacheRoom, RoomLimits } from './cached-source.ts'

/** Milliseconds between two looks whether room came free on the disk. */
const lookAgainMs = 1000

export interface SourceCacheOptions {
  folder: string
  /** Bytes that sources may take; 0 for no limit. */
  max_cache: number
  /** Bytes that stay free on the disk; 0 does not check. */
  min_free: number
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

/** What one job has of the cache. */
interface Share {
  /** Of its source; of an offer, as much as it may become. */
  bytes: number
  /** Whether no job is known yet. */
  isOffer: boolean
  source?: Pick<WantedSource, 'name' | 'result_path'>
  /** Whether its source is there or may come: it ends without waiting for anybody here. */
  isPlaced?: boolean
}

/**
 * Sources that came over the network, each under a name that changes with it. Room is set aside before a job is asked for.
 * What is in use is never touched; of the rest the longest unused go first.
 */
export class SourceCache {
  private readonly options: SourceCacheOptions
  private readonly folder: CacheFolder
  /** In the order in which they came. In memory only: a process that died holds nothing. */
  private readonly shares = new Set<Share>()
  private readonly shareOf = new WeakMap<CacheRoom, Share>()
  private offering: Promise<unknown> = Promise.resolve()
  /** Claimed sources that need more room than was taken for them go before offers. */
  private growing: Promise<unknown> = Promise.resolve()
  private growths = 0
  private clearing: Promise<unknown> = Promise.resolve()
  private readonly freed = new Pulse()

  constructor(options: SourceCacheOptions) {
    this.options = options
    this.folder = new CacheFolder(options.folder)
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
    const release = () => this.end(share)
    share.source = { name, result_path }
    share.isPlaced = false
    this.shares.add(share)
    try {
      await this.folder.make()
      const is_whole = (await sizeOf(path)) === size
      if (share.bytes < size) await this.grow(share, size, is_whole, signal)
      else this.shrink(share, size)
      if (is_whole) await utimes(path, new Date(), new Date())
      else await this.clearFor(share, signal)
      share.isPlaced = true
      const [keep, discard] = [() => rename(part_path, path), () => rm(part_path, { force: true })]
      return { path, part_path, is_whole, keep, discard, release }
    } catch (error) {
      release()
      throw error
    }
  }

  /** Bytes of what is not in use: these can be had. */
  async spareBytes(): Promise<number> {
    return sum((await this.unused()).map(({ size }) => size))
  }

  private async offerInTurn(least_bytes: number, signal: AbortSignal): Promise<CacheRoom> {
    await this.folder.make()
    const cache_bytes = await this.wholeBytes()
    const least = least_bytes > cache_bytes ? 1 : Math.max(1, least_bytes)
    for (;;) {
      signal.throwIfAborted()
      const freed = this.freed.next()
      const share = { bytes: 0, isOffer: true }
      const isTurn = this.growths === 0 && [...this.shares].every(({ isOffer }) => !isOffer)
      const left = isTurn ? await this.leftFor(share) : 0
      if (left >= least || this.shares.size === 0) return this.open(share, { left, cache_bytes, freed })
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
  }

  /** What was given back may be another's by now. */
  private shareIn(room: CacheRoom | undefined): Share {
    const share = room && this.shareOf.get(room)
    return share && this.shares.has(share) ? share : { bytes: 0, isOffer: false }
  }

  private open(share: Share, at: { left: number; cache_bytes: number; freed: AbortSignal }): CacheRoom {
    const limits = (left: number): RoomLimits => {
      share.bytes = Math.max(0, left)
      const is_cache_free = [...this.shares].every((other) => other === share)
      return { max_source_bytes: share.bytes, cache_bytes: at.cache_bytes, is_cache_free }
    }
    const room: CacheRoom = {
      limits: limits(at.left),
      more: at.freed,
      widen: async () => {
        room.more = this.freed.next()
        room.limits = limits(await this.leftFor(share))
      },
      take: (bytes) => {
        share.isOffer = false
        share.bytes = Math.min(share.bytes, bytes ?? 0)
        this.freed.beat()
      },
      release: () => this.end(share),
    }
    this.shares.add(share)
    this.shareOf.set(room, share)
    return room
  }

  private shrink(share: Share, bytes: number): void {
    if (share.bytes <= bytes) return
    share.bytes = bytes
    this.freed.beat()
  }

  private end(share: Share): void {
    if (this.shares.delete(share)) this.freed.beat()
  }

  /** Bytes of the largest source that fits when nothing else is there. */
  private async wholeBytes(): Promise<number> {
    const { max_cache, min_free } = this.options
    const byLimit = max_cache === 0 ? Number.POSITIVE_INFINITY : max_cache
    return min_free === 0 ? byLimit : Math.max(0, Math.min(byLimit, (await this.folder.disk()).whole - min_free))
  }

  /** Bytes of the largest source that fits beside the others. Its result is to have a place, too, unless it is alone. */
  private async leftFor(share: Share): Promise<number> {
    const { max_cache, min_free } = this.options
    const others = [...this.shares].filter((other) => other !== share)
    const byLimit = max_cache === 0 ? Number.POSITIVE_INFINITY : max_cache - sum(others.map(({ bytes }) => bytes))
    if (min_free === 0) return byLimit
    const needs = await this.needsOf(others)
    const spare = await this.spareBytes()
    const onDisk = (await this.folder.disk()).free + spare - needs - min_free
    return Math.min(byLimit, others.length === 0 ? onDisk : Math.floor(onDisk / 2))
  }

  /** Room within the limit for a source of which more is known than when its room was taken. */
  private async grow(share: Share, size: number, isWhole: boolean, signal: AbortSignal): Promise<void> {
    // Two that wait for more while each keeps what the other needs would wait for ever.
    this.shrink(share, 0)
    this.growths++
    const grown = this.growing.then(() => this.growInTurn(share, size, isWhole, signal))
    this.growing = grown.catch(() => {})
    await grown.finally(() => this.growths--)
  }

  private async growInTurn(share: Share, size: number, isWhole: boolean, signal: AbortSignal): Promise<void> {
    const { max_cache } = this.options
    for (;;) {
      signal.throwIfAborted()
      const freed = this.freed.next()
      const others = sum([...this.shares].filter((other) => other !== share).map(({ bytes }) => bytes))
      if (max_cache === 0 || size <= max_cache - others || (isWhole && others === 0)) break
      if (others === 0) throw this.doesNotFit(size)
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
    share.bytes = size
  }

  /** Removes what is not in use until there is room. Where others have filled the disk meanwhile, the older job goes first. */
  private async clearFor(share: Share, signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted()
      const freed = this.freed.next()
      const isAlone = ![...this.shares].some((other) => other !== share && other.isPlaced)
      const cleared = this.clearing.then(() => this.clear(share))
      this.clearing = cleared.catch(() => {})
      if (await cleared) return
      if (isAlone && this.olderThan(share).length === 0) throw this.doesNotFit(share.bytes)
      await sleep(lookAgainMs, AbortSignal.any([signal, freed]))
    }
  }

  /** Whether its source has room now. */
  private async clear(share: Share): Promise<boolean> {
    const { max_cache, min_free } = this.options
    for (;;) {
      const unused = await this.unused()
      const known = [...this.shares].filter(({ isOffer }) => !isOffer)
      const kept = sum(unused.map(({ size }) => size)) + sum(known.map(({ bytes }) => bytes))
      const isOver = max_cache !== 0 && kept > max_cache
      const needs = min_free === 0 ? 0 : await this.needsOf(known)
      const free = min_free === 0 ? 0 : (await this.folder.disk()).free - min_free
      const [oldest] = unused
      if (!oldest || (!isOver && needs <= free)) {
        const sources = [...this.olderThan(share), share].map((one) => this.comingOf(one))
        return min_free === 0 || sum(await Promise.all(sources)) <= free
      }
      await this.folder.remove(oldest)
    }
  }

  private olderThan(share: Share): Share[] {
    const all = [...this.shares]
    return all.slice(0, all.indexOf(share)).filter(({ isOffer }) => !isOffer)
  }

  /** What is not in use, the longest unused first. */
  private unused(): Promise<CacheEntry[]> {
    return this.folder.others(new Set([...this.shares].flatMap(({ source }) => (source ? [source.name] : []))))
  }

  /** Bytes that these may still write: sources that come, and results, which have at most the size of their sources. */
  private async needsOf(shares: readonly Share[]): Promise<number> {
    const needs = shares.map(async (share) => {
      const written = share.source ? await sizeOf(share.source.result_path) : 0
      return (await this.comingOf(share)) + Math.max(0, share.bytes - written)
    })
    return sum(await Promise.all(needs))
  }

  private async comingOf({ bytes, source }: Share): Promise<number> {
    return Math.max(0, bytes - (source ? await this.folder.hereOf(source.name) : 0))
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

function sum(bytes: readonly number[]): number {
  return bytes.reduce((total, one) => total + one, 0)
}
