import type { CompletionWindow } from './store.ts'

/** One completed job: from its last claim to its completion, RFC 3339. */
export interface Completion {
  started_at: string
  completed_at: string
  source_size: number | null
}

/**
 * What a handful of completions says about speed. Time in which nothing ran does not count: a queue that stood still
 * overnight is not slower for it.
 */
export function measureCompletions(completions: readonly Completion[]): CompletionWindow {
  const spans = completions
    .map((job) => ({ start: Date.parse(job.started_at), end: Date.parse(job.completed_at) }))
    .filter((span) => span.end >= span.start)
    .toSorted((a, b) => a.start - b.start)
  if (spans.length === 0) return { count: 0, source_bytes: 0, busy_seconds: 0, median_job_seconds: null }
  const lengths = spans.map((span) => span.end - span.start).toSorted((a, b) => a - b)
  return {
    count: spans.length,
    source_bytes: completions.reduce((sum, job) => sum + (job.source_size ?? 0), 0),
    busy_seconds: unionLength(spans) / 1000,
    median_job_seconds: (lengths[Math.floor(lengths.length / 2)] ?? 0) / 1000,
  }
}

/** Milliseconds covered by at least one of the spans, which are sorted by start. */
function unionLength(spans: readonly { start: number; end: number }[]): number {
  let covered = 0
  let until = Number.NEGATIVE_INFINITY
  for (const span of spans) {
    covered += Math.max(0, span.end - Math.max(span.start, until))
    until = Math.max(until, span.end)
  }
  return covered
}
