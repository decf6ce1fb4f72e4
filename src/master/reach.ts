import type { Clock } from '../util/clock.ts'

/** What a worker takes. */
interface Known {
  /** Bytes of the largest source; infinite where nothing bounds it, and for a worker that has not told. */
  largest_bytes: number
  /** When it was last heard from, milliseconds UTC. */
  heard_ms: number
}

/** Knows how large a source the workers that are there take. It is news, not state: a restart forgets it. */
export class Reach {
  private readonly workers = new Map<string, Known>()
  private readonly clock: Clock
  /** Milliseconds of silence after which a worker is not there. */
  private readonly worker_timeout_ms: number

  constructor(clock: Clock, worker_timeout_ms: number) {
    this.clock = clock
    this.worker_timeout_ms = worker_timeout_ms
  }

  /** A worker asks for a job; undefined where nothing bounds the size of its source. */
  asked(worker_id: string, largest_bytes = Number.POSITIVE_INFINITY): void {
    this.workers.set(worker_id, { largest_bytes, heard_ms: this.clock() })
  }

  /** A worker is still there. */
  heard(worker_id: string): void {
    const { largest_bytes = Number.POSITIVE_INFINITY } = this.workers.get(worker_id) ?? {}
    this.workers.set(worker_id, { largest_bytes, heard_ms: this.clock() })
  }

  left(worker_id: string): void {
    this.workers.delete(worker_id)
  }

  /** Whether another worker takes a source of so many bytes. */
  isTakenByOther(worker_id: string, bytes: number): boolean {
    const since = this.clock() - this.worker_timeout_ms
    return [...this.workers].some(
      ([other, { largest_bytes, heard_ms }]) => other !== worker_id && heard_ms > since && largest_bytes >= bytes,
    )
  }
}
