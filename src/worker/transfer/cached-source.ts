import type { Input } from '../../contract/routes.ts'

/** How large a source may come, as a claim tells it. */
export type RoomLimits = Pick<Input<'claim'>, 'max_source_bytes' | 'cache_bytes' | 'is_cache_free'>

/** Room in the cache that is set aside before a job is asked for. It is given back, or becomes the place of the job's source. */
export interface CacheRoom {
  /** What is told of it when a job is asked for. */
  limits: RoomLimits
  /** Aborts when there may be more room than this. */
  more: AbortSignal
  /** Makes it as large as it can be now. */
  widen: () => Promise<void>
  /** A job has come whose source has so many bytes, null where that is not known: the rest is for others. */
  take: (bytes: number | null) => void
  /** Without effect once a source is held in it, which is let go by itself. */
  release: () => void
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
