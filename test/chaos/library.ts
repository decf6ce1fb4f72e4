import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync, statSync, truncateSync, unlinkSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Clip } from './clips.ts'

/** A source as we left it. */
export interface Source {
  path: string
  /** What it is a copy of, whole or in part. */
  clip: Clip
  sha256: string
  size: number
  mtime_ms: number
  /** How many contents it has had. */
  versions: number
  /** `broken`: only a part is left, which can only fail. `gone`: removed, so it may have come to either end. */
  state: 'whole' | 'broken' | 'gone'
}

/** Every source of a run, and the only one that changes any. */
export class Library {
  readonly sources: Source[] = []
  private readonly folder: string
  private readonly scratch: string
  /** So that each content has a time of its own, and all look as if they had lain there for an hour. */
  private time_ms = Date.now() - 3_600_000

  constructor(folder: string, scratch: string) {
    this.folder = folder
    this.scratch = scratch
  }

  add(name: string, clip: Clip): Source {
    const path = join(this.folder, name)
    const source: Source = { path, clip, sha256: '', size: 0, mtime_ms: 0, versions: 0, state: 'whole' }
    this.write(source, clip)
    this.sources.push(source)
    return source
  }

  /** Puts another content in its place, in one step. */
  write(source: Source, clip: Clip): void {
    const copy = join(this.scratch, 'copy')
    copyFileSync(clip.path, copy)
    this.time_ms += 1000
    utimesSync(copy, new Date(this.time_ms), new Date(this.time_ms))
    renameSync(copy, source.path)
    Object.assign(source, { clip, state: 'whole', versions: source.versions + 1 }, factsOf(source.path))
  }

  /** Cuts it off in place, as a copy that broke off does. */
  truncate(source: Source): void {
    truncateSync(source.path, Math.floor(source.size / 2))
    Object.assign(source, { state: 'broken', versions: source.versions + 1 }, factsOf(source.path))
  }

  remove(source: Source): void {
    unlinkSync(source.path)
    source.state = 'gone'
  }
}

/** Size, time and digest of a file. */
export function factsOf(path: string): { sha256: string; size: number; mtime_ms: number } {
  const { size, mtimeMs } = statSync(path)
  return { sha256: digest(path), size, mtime_ms: Math.floor(mtimeMs) }
}

/** The SHA-256 of a file, in hexadecimal digits. */
export function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
