import { errnoOf } from '../../util/errno.ts'
import type { Log } from '../../util/log.ts'

/** What `stats` shows and the log holds of one scan; a disk that fails can have a problem for every file. */
export const maxProblems = 100

/** What one whole scan has seen so far. */
export class Tally {
  files_seen = 0
  readonly problems: string[] = []
  #unshown = 0
  readonly #log: Log

  constructor(log: Log) {
    this.#log = log
  }

  /** Keeps and logs what could not be read, a sentence, once. */
  problem(sentence: string): void {
    if (this.problems.includes(sentence)) return
    if (this.problems.length >= maxProblems) {
      this.#unshown++
      return
    }
    this.problems.push(sentence)
    this.#log.warn(sentence)
  }

  /** Says how many problems were too many to show. */
  close(): void {
    if (this.#unshown > 0) this.#log.warn(`${this.#unshown} more files or folders could not be read`)
  }
}

/** `cannot read PATH: permission denied`, from what a file system call threw. */
export function cannotRead(path: string, error: unknown): string {
  const code = errnoOf(error)
  return `cannot read ${path}: ${reasons[code ?? ''] ?? code ?? String(error)}`
}

const reasons: Partial<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ENOENT: 'it does not exist',
  ENOTDIR: 'it is not a folder',
  ELOOP: 'its links lead back to themselves',
  ENAMETOOLONG: 'its path is too long',
  EIO: 'the disk reports an error',
  ESTALE: 'the network file system has lost it',
  ETIMEDOUT: 'the file system does not answer',
  EMFILE: 'this process has too many open files',
}
