import type { Job } from '../contract/job.ts'
import type { Replacement } from '../contract/replacement.ts'
import type { ClaimKey } from './store.ts'

/** What is noted of a replacement before anything is moved. */
export type NewReplacement = Omit<Replacement, 'state' | 'replaced_at_ms' | 'kept_until_ms'> & {
  /** Where the result lies until then. */
  staged_path: string
  /** For how long the original is kept, milliseconds; 0 for ever. */
  keep_ms: number
}

/** As the store holds it. */
export type StoredReplacement = Replacement & { staged_path: string }

/**
 * The journal of results that take their sources' places: what is to be moved is noted before it is, so that a master that
 * died in between is followed by one that knows. Only what is noted here is ever removed.
 *
 * A file of the size and time of any result noted here is no source, wherever it lies: `addSources` leaves it alone.
 * `complete` makes a replacement that is `swapping` one that is `kept`, `abandonPublish` forgets it.
 */
export interface Replacements {
  /** Notes what is about to be moved; of a claim in publication only. What is noted already stays as it is. */
  beginReplacement(key: ClaimKey, replacement: NewReplacement): Promise<StoredReplacement | undefined>
  /** The newest of a job. */
  replacement(job_id: string): Promise<StoredReplacement | undefined>
  /** Replacements whose undoing was cut short: only a master that was interrupted leaves any. */
  undoing(): Promise<StoredReplacement[]>
  /** Notes that the original is about to be put back: of a completed job whose newest attempt this is, still kept. */
  beginUndo(job_id: string): Promise<StoredReplacement | undefined>
  /** It was not put back. */
  abandonUndo(replacement: Pick<Replacement, 'job_id' | 'attempt'>): Promise<void>
  /** The original is back: the job is skipped for a reason, a sentence, until its source changes or it is requeued. */
  endUndo(replacement: Pick<Replacement, 'job_id' | 'attempt'>, reason: string): Promise<Job | undefined>
  /** Originals whose time is over, the oldest first: kept until `now_ms` at most and replaced at `replaced_before_ms` at the latest. */
  dueOriginals(due: { now_ms: number; replaced_before_ms: number; limit: number }): Promise<StoredReplacement[]>
  /** The original is not kept any more; false when it was not. */
  forgetOriginal(replacement: Pick<Replacement, 'job_id' | 'attempt'>): Promise<boolean>
  /** Gives a claim's job the first of these output paths that no other job has; undefined when there is none. */
  placeOutput(key: ClaimKey, output_paths: readonly string[]): Promise<Job | undefined>
}
