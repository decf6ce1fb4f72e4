/** Whose bytes are meant: a claim of ours, always with its attempt. */
export interface FileClaim {
  job_id: string
  worker_id: string
  attempt: number
}

/** The most that one part of an upload may have, in bytes. */
export const maxPartBytes = 256 * 1024 * 1024

/** A source as its owner may read it. */
export interface SourceFile {
  path: string
  size: number
  /** Changes whenever the file does; quoted as HTTP wants it. */
  etag: string
}

/** One part of a result on its way to the master. */
export interface UploadPart {
  /** Where it belongs; what lies there already must end here. */
  offset: number
  /** Bytes of this part. */
  length: number
  /** Bytes of the whole result. */
  size: number
  /** CRC-32 of this part (that of zlib and gzip), eight hex digits: the SHA-256 of the whole result tells the rest. */
  crc32: string
}

/** The bytes of a part as they come in. */
export interface PartBody {
  stream: ReadableStream<Uint8Array>
  /** Ends a connection on which nothing comes any more; one that is alive goes on. */
  hangUp: () => void
}

/**
 * The bytes of jobs at the master, for the workers that hold them. All throw `DarkstreamError`: `conflict` when the claim is
 * not the caller's any more, or the part does not fit where it should go.
 */
export interface FileDesk {
  source: (claim: FileClaim) => Promise<SourceFile>
  /** Bytes of the result that are here and good. */
  uploaded: (claim: FileClaim) => Promise<number>
  /** Appends a part, or changes nothing; the bytes that are here then. */
  receive: (claim: FileClaim, part: UploadPart, body: PartBody) => Promise<number>
}

/** A piece of a source on its way to a worker. */
export interface SourceStream {
  etag: string
  /** Bytes of the whole source. */
  size: number
  /** Where the piece begins: as asked, or 0 where the source is not the one that was asked for. */
  offset: number
  /** Bytes of the piece. */
  length: number
  body: ReadableStream<Uint8Array>
}

/** The same as a worker beyond meets it. */
export interface FileTransfer {
  /** What the source is now. */
  describe: (claim: FileClaim, signal: AbortSignal) => Promise<{ etag: string; size: number }>
  /** Its bytes from `offset` to `end` (exclusive; null for all), while it is still the one of `etag`. */
  fetchSource: (
    claim: FileClaim,
    range: { etag: string; offset: number; end: number | null },
    signal: AbortSignal,
  ) => Promise<SourceStream>
  uploaded: (claim: FileClaim, signal: AbortSignal) => Promise<number>
  /** Sends a part of the file at `path`; the bytes that are there then. */
  sendPart: (claim: FileClaim, part: UploadPart & { path: string }, signal: AbortSignal) => Promise<number>
}
