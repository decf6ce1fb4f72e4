import { sumOf } from '../../sums/file-sum.ts'
import { sleep } from '../../util/clock.ts'

/** Milliseconds for which a question waits for a sum that is being computed. */
const waitMs = 5000
/** Sums that are kept: a source that is fetched again is read once. */
const keptSums = 1000

/** SHA-256 sums of sources, each computed once in another thread. */
export class SourceSums {
  private readonly sums = new Map<string, Promise<string>>()

  /** The sum of a file as it was when it had this ETag; null while it is not known yet. Rejects when it cannot be read. */
  async get({ path, size, etag }: { path: string; size: number; etag: string }): Promise<string | null> {
    const key = `${etag} ${path}`
    const sum = this.sums.get(key) ?? sumOf(path, 0, size)
    this.sums.delete(key)
    this.sums.set(key, sum)
    sum.catch(() => this.sums.delete(key))
    const [oldest] = this.sums.keys()
    if (oldest !== undefined && this.sums.size > keptSums) this.sums.delete(oldest)
    const answered = new AbortController()
    const late = sleep(waitMs, answered.signal).then(() => null)
    return Promise.race([sum, late]).finally(() => answered.abort())
  }
}
