import { constants } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, sep } from 'node:path'
import { ConversionError } from '../contract/failure.ts'
import type { Assignment } from '../contract/job.ts'
import { sleep } from '../util/clock.ts'
import { errnoOf } from '../util/errno.ts'
import { formatBytes } from '../util/format.ts'
import type { Log } from '../util/log.ts'

/** Milliseconds between two looks whether a job that waits has room now. */
const lookAgainMs = 1000

/** What is looked at of a claimed job. */
export type SizedJob = Pick<Assignment, 'source_path' | 'source_size' | 'staging_path'>

export interface SpaceOptions {
  /** The worker's scratch folder. */
  work_base: string
  /** Where the shared storage is mounted; null when nobody told. */
  mount_path: string | null
  /** Bytes that stay free on both; 0 does not check. */
  min_free: number
  /** Bytes in the scratch folder that are of no use at the moment and go when their room is needed. */
  spareBytes?: () => Promise<number>
  log: Log
}

/**
 * Keeps a worker from filling its disks, and from jobs whose results have no place. No result is expected to become larger than its source: so much of the output
 * tree is reserved for each encode until it is over, less what it has written already. Scratch folders hold next to
 * nothing and only have to have the least that is to stay free.
 */
export class Space {
  private readonly options: SpaceOptions
  /** The folder of all attempts in the output tree, or where it is to be made; null until there was a job. */
  private attempts: string | null = null
  private readonly reserved = new Set<SizedJob>()
  /** One reservation at a time, in order: what waits is not overtaken for ever by what is smaller. */
  private turn: Promise<unknown> = Promise.resolve()

  constructor(options: SpaceOptions) {
    this.options = options
  }

  /** Why nothing is to be claimed now, a clause that stays the same while its cause does; undefined when there is room. */
  async whyNone(): Promise<string | undefined> {
    const { work_base, min_free } = this.options
    const readOnly = await this.whyReadOnly()
    if (readOnly !== undefined || min_free === 0) return readOnly
    const cache = await this.freeAt(work_base)
    if (cache !== undefined && cache < min_free) return tooLittle('in the scratch folder', work_base, min_free)
    const room = await this.room()
    return room && room.left < min_free ? tooLittle('for results', room.output, min_free) : undefined
  }

  /**
   * Reserves what a claimed job may need, as soon as it fits beside what this worker's running encodes may still write. On a
   * disk that is read-only, or so full that no job fits, nothing is reserved: why, as `whyNone` says it then.
   *
   * @throws ConversionError of class `worker` when the job does not fit, however the running encodes end; or the signal's
   * reason
   */
  async reserve(job: SizedJob, signal: AbortSignal): Promise<string | undefined> {
    const attempt = this.turn.then(() => this.reserveInTurn(job, signal))
    this.turn = attempt.catch(() => {})
    return attempt
  }

  /**
   * Why a running encode is to end, a sentence: it has written more than was reserved for it, and so much that too little is
   * left. Undefined when it may go on.
   */
  async whyEnd(job: SizedJob): Promise<string | undefined> {
    const { min_free } = this.options
    if (min_free === 0 || !this.reserved.has(job)) return undefined
    const [size, written] = [job.source_size ?? 0, await writtenOf(job)]
    const room = written > size ? await this.room() : undefined
    if (room === undefined || room.free >= min_free) return undefined
    const [grown, whole] = [written, size].map(formatBytes)
    return `its result has grown to ${grown}, its source has ${whole}, and ${tooLittle('for results', room.output, min_free)}`
  }

  /** The job's result has its size, or there is none. */
  free(job: SizedJob): void {
    this.reserved.delete(job)
  }

  private async reserveInTurn(job: SizedJob, signal: AbortSignal): Promise<string | undefined> {
    const { min_free, log } = this.options
    this.attempts = dirname(dirname(job.staging_path))
    const readOnly = await this.whyReadOnly()
    if (readOnly !== undefined) return readOnly
    const size = job.source_size ?? 0
    for (let looks = 0; ; looks++) {
      signal.throwIfAborted()
      const room = min_free === 0 ? undefined : await this.room()
      if (room === undefined || room.left - size >= min_free) break
      if (room.free < min_free) return tooLittle('for results', room.output, min_free)
      if (room.free - size < min_free) throw doesNotFit(size, room, min_free)
      if (looks === 0) log.info(`waits for the room that running encodes have reserved: ${job.source_path}`)
      await sleep(lookAgainMs, signal)
    }
    this.reserved.add(job)
    return undefined
  }

  /** A mount point of which a writable part holds the results says nothing: this is known from the first job on. */
  private async whyReadOnly(): Promise<string | undefined> {
    const { attempts } = this
    if (attempts === null || !(await isReadOnly(attempts))) return undefined
    return `the folder for results is on a read-only file system (${attempts})`
  }

  /** What the output's disk has: bytes free, and left when the running encodes have written all that they may. */
  private async room(): Promise<Room | undefined> {
    const output = this.attempts ?? this.options.mount_path
    const free = output === null ? undefined : await this.freeAt(output)
    if (output === null || free === undefined) return undefined
    const needs = await Promise.all([...this.reserved].map(stillNeeded))
    return { output, free, left: free - needs.reduce((sum, bytes) => sum + bytes, 0) }
  }

  /** With what can be had in the scratch folder, where it is there. */
  private async freeAt(path: string): Promise<number | undefined> {
    const { work_base, spareBytes } = this.options
    const free = await freeBytes(path)
    const isScratch = path === work_base || path.startsWith(work_base + sep)
    return free === undefined || !isScratch || !spareBytes ? free : free + (await spareBytes())
  }
}

interface Room {
  output: string
  free: number
  left: number
}

function doesNotFit(size: number, { output, free }: Room, min_free: number): ConversionError {
  const [needed, there, kept] = [size, free, min_free].map(formatBytes)
  const what = `its result may take as much room as its source (${needed}), but ${there} is free for results (${output})`
  const remedy = 'make room there or lower it, then retry the job'
  return new ConversionError(`${what}, of which storage.min_free (${kept}) stays free: ${remedy}`, {
    class: 'worker',
    step: 'stage',
  })
}

async function stillNeeded(job: SizedJob): Promise<number> {
  return Math.max(0, (job.source_size ?? 0) - (await writtenOf(job)))
}

async function writtenOf({ staging_path }: SizedJob): Promise<number> {
  return stat(staging_path).then(
    ({ size }) => size,
    () => 0,
  )
}

/** Bytes that a file may take at a path, or at its nearest parent that is there; undefined when the system does not tell. */
async function freeBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path)
    return bavail * bsize
  } catch (error) {
    const isMissing = errnoOf(error) === 'ENOENT' && dirname(path) !== path
    return isMissing ? freeBytes(dirname(path)) : undefined
  }
}

/** Whether a path, or its nearest parent that is there, is on a file system that takes no writing. */
async function isReadOnly(path: string): Promise<boolean> {
  const code = await access(path, constants.W_OK).then(() => undefined, errnoOf)
  return code === 'EROFS' || (code === 'ENOENT' && dirname(path) !== path && isReadOnly(dirname(path)))
}

function tooLittle(what: string, path: string, min_free: number): string {
  return `less than storage.min_free (${formatBytes(min_free)}) is free ${what} (${path})`
}
