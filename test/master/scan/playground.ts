import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import type { ScannerOptions } from '../../../src/master/scan/options.ts'
import { Scanner } from '../../../src/master/scan/scanner.ts'
import type { FoundSource } from '../../../src/queue/store.ts'
import { createLog } from '../../../src/util/log.ts'

/** What the store was told, by path below the root. */
export class MemoryStore {
  readonly sources = new Map<string, FoundSource>()
  calls = 0
  readonly #root: string
  readonly #waiting = new Map<string, () => void>()

  constructor(root: string) {
    this.#root = root
  }

  async addSources(sources: readonly FoundSource[]) {
    this.calls++
    const counts = { added: 0, changed: 0, unchanged: 0 }
    for (const source of sources) {
      const name = relative(this.#root, source.source_path)
      const known = this.sources.get(name)
      const isSame = known?.source_size === source.source_size && known.source_mtime_ms === source.source_mtime_ms
      counts[known ? (isSame ? 'unchanged' : 'changed') : 'added']++
      this.sources.set(name, source)
      this.#waiting.get(name)?.()
    }
    return counts
  }

  /** Resolves when the store is told of this path the next time. */
  told(name: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(name, resolve))
  }
}

/** A temporary folder with a root to scan; `await using` stops its scanners and removes it. */
export async function playground() {
  const base = await mkdtemp(join(tmpdir(), 'darkstream-scan-'))
  const root = join(base, 'videos')
  await mkdir(root)
  const store = new MemoryStore(root)
  const lines: string[] = []
  const log = createLog({ level: 'info', format: 'text', output_path: null, write: (line) => lines.push(line) })
  const scanners: Scanner[] = []
  return {
    base,
    root,
    store,
    lines,
    /** Paths below the root that the store knows, sorted. */
    found: () => [...store.sources.keys()].toSorted(),
    /** Writes a file below the root, last modified an hour ago unless told. */
    async file(name: string, { content = 'x', mtime_ms = Date.now() - 3_600_000 } = {}) {
      const path = join(root, name)
      await mkdir(dirname(path), { recursive: true })
      await writeFile(path, content)
      await utimes(path, mtime_ms / 1000, mtime_ms / 1000)
      return path
    },
    scanner(options: Partial<ScannerOptions> = {}) {
      const scanner = new Scanner({
        root_path: root,
        output_base: join(base, 'converted'),
        video_extensions: ['.mp4', '.mkv', '.mov'],
        recursive_depth: -1,
        scan_interval_ms: 0,
        settle_time_ms: 10_000,
        watch: false,
        container: 'mp4',
        replaces: false,
        store,
        log,
        root_retry_ms: 20,
        change_delay_ms: 25,
        ...options,
      })
      scanners.push(scanner)
      return scanner
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(scanners.map((scanner) => scanner.stop()))
      await rm(base, { recursive: true, force: true })
    },
  }
}
