import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Assignment } from '../contract/job.ts'
import { formatBytes } from '../util/format.ts'

/** What is looked at of a claimed job. */
export type SizedJob = Pick<Assignment, 'source_path' | 'source_size' | 'staging_path'>

export interface SpaceOptions {
  /** The worker's scratch folder. */
  work_base: string
  /** Where the shared storage is mounted; null when nobody told. */
  mount_path: string | null
  /** Bytes that stay free on both; 0 checks nothing. */
  min_free: number
}

/**
 * Keeps a worker from filling its disks. No result is expected to become larger than its source: so much of the output
 * tree is reserved for each encode until it is over, less what it has written already. Scratch folders hold next to
 * nothing and only have to have the least that is to stay free.
 */
export class Space {
  private readonly options: SpaceOptions
  /** A folder in the output tree, or one that is to be made there; known from the first job on. */
  private output: string | null
  private readonly reserved = new Set<SizedJob>()
  /** A job that did not fit: nothing is claimed until it would. */
  private refused: SizedJob | undefined
  /** One reservation at a time: two that are looked at together would count each other. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(options: SpaceOptions) {
    this.options = options
    this.output = options.mount_path
  }

  /** Why nothing is to be claimed now, a clause that stays the same while its cause does; undefined when there is room. */
  async whyFull(): Promise<string | undefined> {
    const { work_base, min_free } = this.options
    if (min_free === 0) return undefined
    const cache = await freeBytes(work_base)
    if (cache !== undefined && cache < min_free) return tooLittle('in the scratch folder', work_base, min_free)
    const refusal = await this.whyNoRoom(this.refused)
    if (refusal === undefined) this.refused = undefined
    return refusal
  }

  /** Reserves what a claimed job may need; why it does not fit, when it does not, and then `whyFull` says so until it would. */
  async reserve(job: SizedJob): Promise<string | undefined> {
    const attempt = this.turn.then(async () => {
      // Where the folders of all attempts are.
      this.output = dirname(dirname(job.staging_path))
      const refusal = this.options.min_free === 0 ? undefined : await this.whyNoRoom(job)
      if (refusal === undefined) this.reserved.add(job)
      else this.refused = job
      return refusal
    })
    this.turn = attempt
    return attempt
  }

  /** The job's result has its size, or there is none. */
  free(job: SizedJob): void {
    this.reserved.delete(job)
  }

  private async whyNoRoom(job: SizedJob | undefined): Promise<string | undefined> {
    const { output } = this
    const { min_free } = this.options
    const free = output === null ? undefined : await freeBytes(output)
    if (output === null || free === undefined) return undefined
    const needs = await Promise.all([...this.reserved].map(stillNeeded))
    const left = free - needs.reduce((sum, bytes) => sum + bytes, 0)
    if (left < min_free) return tooLittle('for results', output, min_free)
    const size = job?.source_size ?? 0
    if (job === undefined || left - size >= min_free) return undefined
    return `${job.source_path} (${formatBytes(size)}) needs more room for its result than there is beside storage.min_free (${formatBytes(min_free)})`
  }
}

async function stillNeeded(job: SizedJob): Promise<number> {
  const written = await stat(job.staging_path).then(
    ({ size }) => size,
    () => 0,
  )
  return Math.max(0, (job.source_size ?? 0) - written)
}

/** Bytes that a file may take at a path, or at its nearest parent that is there; undefined when the system does not tell. */
async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT' && dirname(path) !== path
    return isMissing ? freeBytes(dirname(path)) : undefined
  }
}

function tooLittle(what: string, path: string, min_free: number): string {
  return `less than storage.min_free (${formatBytes(min_free)}) is free ${what} (${path})`
}
