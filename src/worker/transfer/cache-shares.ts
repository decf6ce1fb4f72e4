import { Pulse } from '../../util/clock.ts'
import { type CacheEntry, type CacheFolder, sizeOf } from './cache-folder.ts'

export interface CacheLimits {
  /** Bytes that sources may take; 0 for no limit. */
  max_cache: number
  /** Bytes that stay free on the disk; 0 does not check. */
  min_free: number
}

/** What one job has of a cache. */
export interface Share {
  /** Of its source; of an offer, as much as it may become. */
  bytes: number
  /** Whether no job is known yet. */
  isOffer: boolean
  /** The source, and where its result will be: on the same disk, and no larger. */
  source?: { name: string; result_path: string }
  /** Whether its source is there or may come: it ends without waiting for anybody here. */
  isPlaced?: boolean
}

/** Who has what of a cache, and how much is left. In memory only: a process that died has nothing. */
export class CacheShares {
  private readonly folder: CacheFolder
  private readonly limits: CacheLimits
  /** In the order in which they came. */
  private readonly shares = new Set<Share>()
  private readonly freed = new Pulse()

  constructor(folder: CacheFolder, limits: CacheLimits) {
    this.folder = folder
    this.limits = limits
  }

  add(share: Share): void {
    this.shares.add(share)
  }

  has(share: Share): boolean {
    return this.shares.has(share)
  }

  resize(share: Share, bytes: number): void {
    const isLess = bytes < share.bytes
    share.bytes = bytes
    if (isLess) this.freed.beat()
  }

  /** An offer has become a job's. */
  settle(share: Share): void {
    share.isOffer = false
    this.freed.beat()
  }

  end(share: Share): void {
    if (this.shares.delete(share)) this.freed.beat()
  }

  /** Aborts when there is more room than at this moment. */
  next(): AbortSignal {
    return this.freed.next()
  }

  get isEmpty(): boolean {
    return this.shares.size === 0
  }

  get isOffering(): boolean {
    return [...this.shares].some(({ isOffer }) => isOffer)
  }

  isAlone(share: Share): boolean {
    return this.beside(share).length === 0
  }

  /** Whether nobody has room on the disk, or is to have it before. */
  isFirst(share: Share): boolean {
    return this.beforeOf(share).length === 0 && !this.beside(share).some(({ isPlaced }) => isPlaced)
  }

  /** Bytes of all others. */
  bytesBeside(share: Share): number {
    return sum(this.beside(share).map(({ bytes }) => bytes))
  }

  /** What nobody has, the longest unused first. */
  unused(): Promise<CacheEntry[]> {
    return this.folder.others(new Set([...this.shares].flatMap(({ source }) => (source ? [source.name] : []))))
  }

  /** Bytes of what nobody has: these can be had. */
  async spareBytes(): Promise<number> {
    return sum((await this.unused()).map(({ size }) => size))
  }

  /** Bytes of the largest source that fits when nothing else is there. */
  async wholeBytes(): Promise<number> {
    const { max_cache, min_free } = this.limits
    const byLimit = max_cache === 0 ? Number.POSITIVE_INFINITY : max_cache
    return min_free === 0 ? byLimit : Math.max(0, Math.min(byLimit, (await this.folder.disk()).whole - min_free))
  }

  /** Bytes of the largest source that fits beside the others. Its result is to have a place, too, unless it is alone. */
  async leftFor(share: Share): Promise<number> {
    const { max_cache, min_free } = this.limits
    const byLimit = max_cache === 0 ? Number.POSITIVE_INFINITY : max_cache - this.bytesBeside(share)
    if (min_free === 0) return byLimit
    const others = this.beside(share)
    const needs = await this.needsOf(others)
    const spare = await this.spareBytes()
    const onDisk = (await this.folder.disk()).free + spare - needs - min_free
    return Math.min(byLimit, others.length === 0 ? onDisk : Math.floor(onDisk / 2))
  }

  /** Whether all that is known of jobs has its place beside what is not in use: sources, and results. */
  async doAllFit(unused: readonly CacheEntry[]): Promise<boolean> {
    const { max_cache, min_free } = this.limits
    const known = [...this.shares].filter(({ isOffer }) => !isOffer)
    const kept = sum(unused.map(({ size }) => size)) + sum(known.map(({ bytes }) => bytes))
    if (max_cache !== 0 && kept > max_cache) return false
    return min_free === 0 || (await this.needsOf(known)) <= (await this.folder.disk()).free - min_free
  }

  /** Whether its source has room on the disk, after those that came before. */
  async hasRoom(share: Share): Promise<boolean> {
    const { min_free } = this.limits
    if (min_free === 0) return true
    const coming = [...this.beforeOf(share), share].map((one) => this.comingOf(one))
    return sum(await Promise.all(coming)) <= (await this.folder.disk()).free - min_free
  }

  private beside(share: Share): Share[] {
    return [...this.shares].filter((other) => other !== share)
  }

  private beforeOf(share: Share): Share[] {
    const all = [...this.shares]
    return all.slice(0, all.indexOf(share)).filter(({ isOffer }) => !isOffer)
  }

  /** Bytes that these may still write: sources that come, and results. */
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
}

function sum(bytes: readonly number[]): number {
  return bytes.reduce((total, one) => total + one, 0)
}
