import type { Clock } from '../../util/clock.ts'

/** A path that may be a source, and the names beside it that could want the same output. */
export interface Candidate {
  source_path: string
  siblings: readonly string[]
}

/** A file's size in bytes and modification time in whole milliseconds UTC, as a job records them. */
export interface SourceState {
  source_size: number
  source_mtime_ms: number
}

interface Young extends SourceState {
  candidate: Candidate
  /** Since when size and modification time were seen to stay as they are. */
  since_ms: number
  /** When it is looked at again. */
  due_ms: number
}

/** Remembers files that may still be being written, until they have been left alone for the settle time. */
export class Settler {
  readonly #settle_time_ms: number
  readonly #clock: Clock
  readonly #onEarlier: () => void
  readonly #young = new Map<string, Young>()
  #earliest_ms = Infinity

  /** `onEarlier` is called when a file is due before all that `untilDue` knew of. */
  constructor(settle_time_ms: number, clock: Clock, onEarlier: () => void = () => {}) {
    this.#settle_time_ms = settle_time_ms
    this.#clock = clock
    this.#onEarlier = onEarlier
  }

  /** How many files are waited for. */
  get size(): number {
    return this.#young.size
  }

  /** Whether this file is waited for. */
  has(source_path: string): boolean {
    return this.#young.has(source_path)
  }

  /**
   * Whether the file can be taken: last modified before the settle time, or unchanged for as long as that under our own
   * eyes (a writer's clock may be ahead of ours). Remembers it when not; when so, the caller calls `forget` once it is taken.
   */
  isSettled(candidate: Candidate, state: SourceState): boolean {
    const now = this.#clock()
    const known = this.#young.get(candidate.source_path)
    const isUnchanged = known?.source_size === state.source_size && known.source_mtime_ms === state.source_mtime_ms
    // A clock that was set back starts the watch anew rather than prolonging it by the difference.
    const since = isUnchanged ? Math.min(known.since_ms, now) : now
    const age = now - state.source_mtime_ms
    if (age >= this.#settle_time_ms || now - since >= this.#settle_time_ms) return true
    const due = this.#settle_time_ms + (age >= 0 ? state.source_mtime_ms : since)
    this.#young.set(candidate.source_path, { ...state, candidate, since_ms: since, due_ms: due })
    if (due < this.#earliest_ms) {
      this.#earliest_ms = due
      this.#onEarlier()
    }
    return false
  }

  /** Waits for this file no longer: it was taken, or it is gone. */
  forget(source_path: string): void {
    this.#young.delete(source_path)
  }

  /** The files that it is time to look at again. */
  due(): Candidate[] {
    const now = this.#clock()
    return [...this.#young.values()].filter((young) => young.due_ms <= now).map((young) => young.candidate)
  }

  /** Milliseconds until a file is due, at most the settle time; Infinity when none is waited for. */
  untilDue(): number {
    this.#earliest_ms = Infinity
    for (const young of this.#young.values()) this.#earliest_ms = Math.min(this.#earliest_ms, young.due_ms)
    if (this.#earliest_ms === Infinity) return Infinity
    return Math.max(0, Math.min(this.#earliest_ms - this.#clock(), this.#settle_time_ms))
  }
}
