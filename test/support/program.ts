import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUpAfterEach } from './after-each.ts'
import { News } from './news.ts'

/** The compiled executable; the test run builds it first. */
export const executable = join(import.meta.dir, '..', '..', 'dist', 'darkstream')

/** A started process of the executable, ended with its test. */
export interface Program {
  pid: number
  /** All that it wrote so far, both streams. */
  output: () => string
  /** Resolves with the first line, written or yet to be, that matches. Rejects when the process ends without one. */
  line: (pattern: RegExp) => Promise<string>
  signal: (name: NodeJS.Signals) => void
  /** Its exit code, or 128 plus the signal that ended it. */
  ended: Promise<number>
}

const running = new Set<ReturnType<typeof Bun.spawn>>()
const folders: string[] = []

cleanUpAfterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...running].map((child) => child.exited))
  running.clear()
  for (const folder of folders.splice(0)) removeFolder(folder)
})

/** Also one in which a test took rights away. */
function removeFolder(folder: string): void {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  for (const entry of entries) if (entry.isDirectory()) chmodSync(join(entry.parentPath, entry.name), 0o700)
  rmSync(folder, { recursive: true, force: true })
}

/** A folder of the test's own, removed when it ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'darkstream-test-'))
  folders.push(folder)
  return folder
}

export interface StartOptions {
  cwd?: string
  environment?: Record<string, string>
  /** Another program that starts the executable, such as `setpriv`. */
  prefix?: readonly string[]
}

/** Starts the executable in an environment that holds only what the test gives it, PATH and a scratch folder. */
export function start(args: readonly string[], options: StartOptions = {}): Program {
  const child = Bun.spawn([...(options.prefix ?? []), executable, ...args], {
    cwd: options.cwd ?? temporaryFolder(),
    env: {
      PATH: process.env['PATH'] ?? '',
      DARKSTREAM_STORAGE_CACHE_PATH: join(temporaryFolder(), 'cache'),
      ...options.environment,
    },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  running.add(child)
  let text = ''
  let isOver = false
  const news = new News()
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder()
    for await (const chunk of stream) {
      text += decoder.decode(chunk, { stream: true })
      news.beat()
    }
  }
  const drained = Promise.all([read(child.stdout), read(child.stderr)])
  const ended = Promise.all([child.exited, drained]).then(([code]) => {
    isOver = true
    running.delete(child)
    news.beat()
    return code
  })
  return {
    pid: child.pid,
    output: () => text,
    async line(pattern) {
      const found = () => text.split('\n').find((line) => pattern.test(line))
      await news.until(() => found() !== undefined || isOver)
      const line = found()
      if (line === undefined) throw new Error(`ended without a line like ${pattern}:\n${text}`)
      return line
    },
    signal: (name) => child.kill(name),
    ended,
  }
}

/** Runs the executable to its end. */
export async function run(
  args: readonly string[],
  options: StartOptions = {},
): Promise<{ code: number; output: string }> {
  const program = start(args, options)
  return { code: await program.ended, output: program.output() }
}

/** Looks until what is asked of the outside world (a process table, a master) is so, and gives it; the test's own limit ends it. */
export async function eventually<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    await Bun.sleep(25)
  }
}
