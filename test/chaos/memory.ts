import type { JobView } from '../../src/contract/job.ts'

/** What was seen once and must not be otherwise later. */
export class Memory {
  /** By output path: the digest at first sight, and of which attempt. */
  readonly outputs = new Map<string, { sha256: string; attempt: number }>()
  private readonly completed = new Map<string, JobView>()

  /** Notes what is completed; a sentence for each completion that was taken back though its source is the same. */
  look(jobs: readonly JobView[]): string[] {
    return jobs.flatMap((job) => {
      const known = this.completed.get(job.id)
      if (job.status === 'completed') this.completed.set(job.id, job)
      if (known?.source_mtime_ms !== job.source_mtime_ms || known.source_size !== job.source_size) return []
      if (job.status === 'completed' && job.attempt === known.attempt) return []
      this.completed.delete(job.id)
      return [`I5: ${job.source_path} was completed by attempt ${known.attempt} and is ${job.status} (${job.attempt})`]
    })
  }
}
