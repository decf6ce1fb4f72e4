import type { FailureReport } from '../../../src/contract/failure.ts'
import type { Job } from '../../../src/contract/job.ts'
import type { ClaimKey, FoundSource, Store } from '../../../src/queue/store.ts'
import { type Clock, timestamp } from '../../../src/util/clock.ts'

/** One empty queue of the implementation under test. Its jobs get three retries, its history is kept for `keep_history_ms`. */
export interface Subject {
  /** Opens the queue; once the store is closed, again, with all that it held. */
  open: (clock: Clock) => Promise<Store>
  /** Takes away what the queue left behind. */
  remove: () => Promise<void>
}

/** States a case: a sentence about what every store does, and its proof in a world of its own. */
export type Check = (title: string, proof: (world: World) => Promise<void>) => void

/** How long a claim lasts here. */
export const lease_ms = 60_000

/** How long ended attempts are kept here that a later one has followed. */
export const keep_history_ms = 86_400_000

/** A queue with nothing in it yet, and a clock that moves only when told. */
export interface World {
  readonly store: Store
  /** The held clock, milliseconds UTC. */
  readonly now_ms: number
  /** The same as contract fields hold it. */
  readonly now: string
  advance: (ms: number) => void
  /** Closes the store and opens it again. */
  reopen: () => Promise<void>
  /** Adds ordinary sources of these names, in one batch. */
  add: (...names: string[]) => Promise<void>
  /** Claims as our own workers do; rejects when nothing is pending. */
  claim: (worker_id?: string) => Promise<Job>
  /** The job of a source by its name; rejects when there is none. */
  job: (name: string) => Promise<Job>
  end: () => Promise<void>
}

export async function createWorld(subject: Subject): Promise<World> {
  let now_ms = Date.parse('2026-03-01T12:00:00.000Z')
  let requests = 0
  let store = await subject.open(() => now_ms)
  return {
    get store() {
      return store
    },
    get now_ms() {
      return now_ms
    },
    get now() {
      return timestamp(now_ms)
    },
    advance(ms) {
      now_ms += ms
    },
    async reopen() {
      await store.close()
      store = await subject.open(() => now_ms)
    },
    async add(...names) {
      await store.addSources(names.map((name) => source(name)))
    },
    async claim(worker_id = 'alice') {
      return there(await store.claim({ worker_id, request_id: `request-${requests++}`, lease_ms }))
    },
    async job(name) {
      return there(await store.job(idOf(name)))
    },
    async end() {
      await store.close()
      await subject.remove()
    },
  }
}

/** A settled file `/in/NAME.mkv` of 1000 bytes; what matters to a case is given. */
export function source(name: string, changes: Partial<FoundSource> = {}): FoundSource {
  return {
    id: idOf(name),
    source_path: `/in/${name}.mkv`,
    source_size: 1000,
    source_mtime_ms: 1_700_000_000_000,
    output_paths: [`/out/${name}.mp4`, `/out/${name}.mkv.mp4`, `/out/${name}.1a2b3c4d.mp4`],
    problem: null,
    ...changes,
  }
}

/** The same file after somebody wrote to it. */
export function changedSource(name: string, changes: Partial<FoundSource> = {}): FoundSource {
  return source(name, { source_size: 2000, source_mtime_ms: 1_700_000_060_000, ...changes })
}

export function idOf(name: string): string {
  return `id-of-${name}`
}

/** The key to a claim as our own workers hold it. */
export function keyOf(job: Job): ClaimKey {
  return { job_id: job.id, worker_id: job.worker_id ?? '', attempt: job.attempt }
}

/** A value that must be there. */
export function there<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('expected a value, got undefined')
  return value
}

/** What an act is refused with; undefined when it is not refused. */
export function refusal(act: Promise<unknown>): Promise<unknown> {
  return act.then(
    () => undefined,
    (error: unknown) => error,
  )
}

export const failureReport: FailureReport = {
  class: 'retryable',
  step: 'encode',
  command: ['ffmpeg', '-i', 'file:/in/a film.mkv', "it's.mp4"],
  stderr_tail: 'line one\nError while decoding\n',
  exit_code: 69,
}

/** A failure for good unless a time for the next try is given. */
export function failure(error_message = 'the encoder stopped', retry_at_ms: number | null = null) {
  return { error_message, report: failureReport, retry_at_ms, ran_on: null }
}

export const result = {
  output_size: 400,
  source_duration: 12.5,
  notes: ['a subtitle was dropped'],
  published: { size_bytes: 400, mtime_ms: 1_700_000_000_000 },
  ran_on: null,
  source_facts: null,
  profile: null,
  settings: null,
  score: null,
}

/** A source that turned out not to be wanted, before it came to an encode. */
export const skipped = {
  reason: 'the result would be no smaller',
  notes: [],
  ran_on: null,
  source_facts: null,
  profile: null,
  settings: null,
}
