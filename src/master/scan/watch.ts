import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'
import { sleep } from '../../util/clock.ts'
import { errnoOf } from '../../util/errno.ts'
import { Wake } from './wake.ts'
import type { Folder } from './walk.ts'

/** What happened in a folder: the names that changed, or null when any may have. */
export type Changes = Map<string, Set<string> | null>

export interface FolderWatchOptions {
  /** Whether what happened to this path is worth a look. `rename` stands for came, went or was renamed. */
  isOfInterest: (folder: string, name: string, event: 'rename' | 'change') => boolean
  /** Told once, a sentence, when the OS will not watch; nothing is watched from then on. */
  onFailure: (sentence: string) => void
  /** How long changes are gathered. */
  delay_ms: number
}

interface Watched {
  watcher: FSWatcher
  id: string
  depth: number
  /** Paths of the folders below it when it was last listed. */
  children: readonly string[]
}

/** More changed names than this in one folder, and the whole folder is looked at. */
const maxNames = 10_000

/**
 * Tells which folders changed. One watcher a folder, set up as the walk comes by: Bun's recursive watch reads the whole
 * tree in one go on the calling thread (66 us a folder, on a local disk), enters output and hidden folders too, and
 * knows no links. Linux sets inotify watches; a change that another host makes on a network share is not seen.
 */
export class FolderWatch {
  readonly #options: FolderWatchOptions
  readonly #watched = new Map<string, Watched>()
  readonly #pathOfId = new Map<string, string>()
  readonly #wake = new Wake()
  #changes: Changes = new Map()
  #isClosed = false

  constructor(options: FolderWatchOptions) {
    this.#options = options
  }

  /** Watches a folder from now on; before it is read, so that no change falls between. */
  add(folder: Folder, id: string): void {
    if (this.#isClosed || this.isWatching(folder.path, id)) return
    // Another folder lies at this path now, by a mount or a rename. Bun gives a second watcher of one path the first
    // one's inotify watch, dead or not, so the old one must be closed before.
    this.drop(folder.path)
    try {
      const watcher = watch(folder.path, { persistent: false }, (event, name) => this.#note(folder.path, event, name))
      watcher.on('error', (error) => this.#fail(folder.path, error))
      this.#watched.set(folder.path, { watcher, id, depth: folder.depth, children: [] })
      this.#pathOfId.set(id, folder.path)
    } catch (error) {
      this.#fail(folder.path, error)
    }
  }

  /** Whether this folder is watched under this path. */
  isWatching(path: string, id: string): boolean {
    return this.#watched.get(path)?.id === id
  }

  /** Whether this folder is watched under any path. */
  knows(id: string): boolean {
    return this.#pathOfId.has(id)
  }

  /** How many levels below the root a watched folder lies; undefined when it is not watched. */
  depthOf(path: string): number | undefined {
    return this.#watched.get(path)?.depth
  }

  /** Names the folders that now lie in a folder; those that did before and do no more are watched no longer. */
  keep(path: string, children: readonly string[]): void {
    const watched = this.#watched.get(path)
    if (!watched) return
    const kept = new Set(children)
    for (const child of watched.children) if (!kept.has(child)) this.drop(child)
    watched.children = children
  }

  /** Stops watching a folder and all below it. */
  drop(path: string): void {
    const watched = this.#watched.get(path)
    if (!watched) return
    watched.watcher.close()
    this.#watched.delete(path)
    if (this.#pathOfId.get(watched.id) === path) this.#pathOfId.delete(watched.id)
    for (const child of watched.children) this.drop(child)
  }

  /** Waits until something has changed, gathers what follows at once, and gives it; empty when the signal aborts. */
  async next(signal: AbortSignal): Promise<Changes> {
    while (this.#changes.size === 0 && !signal.aborted) await this.#wake.rest(Infinity, signal)
    await sleep(this.#options.delay_ms, signal)
    const changes = this.#changes
    this.#changes = new Map()
    return changes
  }

  /** Closes all watchers. */
  close(): void {
    this.#isClosed = true
    for (const { watcher } of this.#watched.values()) watcher.close()
    this.#watched.clear()
    this.#pathOfId.clear()
  }

  #note(folder: string, event: 'rename' | 'change', name: string | null | undefined): void {
    const watched = this.#watched.get(folder)
    if (!watched) return
    // Removed or moved away: reported with the folder's own name. An entry of that name is rare, and costs one look more.
    if (!name || (event === 'rename' && name === basename(folder))) {
      this.drop(folder)
      if (watched.depth === 0) this.#add(folder, null)
      else this.#add(dirname(folder), basename(folder))
    } else if (this.#options.isOfInterest(folder, name, event)) {
      this.#add(folder, name)
    }
  }

  #add(folder: string, name: string | null): void {
    const names = this.#changes.get(folder)
    if (name === null || (names && names.size >= maxNames)) this.#changes.set(folder, null)
    else if (names) names.add(name)
    else if (names === undefined) this.#changes.set(folder, new Set([name]))
    this.#wake.wake()
  }

  #fail(path: string, error: unknown): void {
    const code = errnoOf(error)
    // The folder went, or may not be read: the walk says so itself.
    if (this.#isClosed || code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return this.drop(path)
    this.close()
    this.#options.onFailure(`cannot watch ${path} for changes: ${limits[code ?? ''] ?? code ?? String(error)}`)
  }
}

/** What inotify's errors mean; both limits are the user's, shared with all of the user's programs. */
const limits: Partial<Record<string, string>> = {
  ENOSPC: 'fs.inotify.max_user_watches is too low',
  EMFILE: 'fs.inotify.max_user_instances is too low',
}
