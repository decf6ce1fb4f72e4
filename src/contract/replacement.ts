import * as v from 'valibot'

/**
 * `swapping`, `undoing`: in the middle of it. `kept`: the result has its source's place, the original lies aside. `gone`:
 * the result has the place for good. `undone`: the original is back.
 */
export const replacementStates = ['swapping', 'kept', 'undoing', 'undone', 'gone'] as const

/** A result that took its source's place. Paths are absolute, sizes bytes, times milliseconds UTC. */
export const Replacement = v.object({
  job_id: v.string(),
  /** The attempt that the result came from. */
  attempt: v.number(),
  state: v.picklist(replacementStates),
  original_path: v.string(),
  original_size: v.number(),
  original_mtime_ms: v.number(),
  /** Where the original lies while it is kept. */
  kept_path: v.string(),
  /** Where the result lies; the same as `original_path` where its extension is the same. */
  result_path: v.string(),
  result_size: v.number(),
  result_mtime_ms: v.number(),
  /** Null in the middle of it. */
  replaced_at_ms: v.nullable(v.number()),
  /** When the original is removed at the earliest; null when never, and in the middle of it. */
  kept_until_ms: v.nullable(v.number()),
})
export type Replacement = v.InferOutput<typeof Replacement>
