/** Room in the cache that is set aside before a job is asked for. It is given back, or becomes the place of the job's source. */
export interface CacheRoom {
  /** Bytes of the largest source that may come; undefined for any. */
  max_source_bytes: number | undefined
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
