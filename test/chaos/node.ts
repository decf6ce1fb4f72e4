import { closeSync, openSync, readFileSync } from 'node:fs'
import { signalTo } from './processes.ts'

export interface NodeOptions {
  name: string
  /** Program first. */
  argv: readonly string[]
  environment: Record<string, string>
  /** Gets all that its processes write, one after the other. */
  log_path: string
}

/** What a start may have that others do not. */
export interface StartOptions {
  environment?: Record<string, string>
  /** A program that starts the executable, such as `unshare`. */
  prefix?: readonly string[]
}

/** The master or a worker: a process of the executable that ends and is started again. It dies with us. */
export class Node {
  readonly name: string
  private readonly options: NodeOptions
  private child: Bun.Subprocess | undefined

  constructor(options: NodeOptions) {
    this.name = options.name
    this.options = options
  }

  start({ environment, prefix = [] }: StartOptions = {}): void {
    if (this.isUp) return
    const log = openSync(this.options.log_path, 'a')
    try {
      this.child = Bun.spawn([...dyingWithUs, ...prefix, ...this.options.argv], {
        env: { PATH: process.env['PATH'] ?? '', ...this.options.environment, ...environment },
        stdin: 'ignore',
        stdout: log,
        stderr: log,
      })
    } finally {
      closeSync(log)
    }
  }

  get pid(): number {
    return this.child?.pid ?? -1
  }

  get isUp(): boolean {
    return this.child !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  signal(name: NodeJS.Signals): void {
    if (this.isUp) signalTo(this.pid, name)
  }

  /** Ends it as a power cut would; resolves when it is gone. */
  async kill(): Promise<void> {
    this.signal('SIGKILL')
    await this.child?.exited
  }

  async restart(options: StartOptions = {}): Promise<void> {
    await this.kill()
    this.start(options)
  }

  /** Its exit code; undefined when it has not ended within so many milliseconds. */
  async ended(within_ms: number): Promise<number | undefined> {
    return Promise.race([this.child?.exited, Bun.sleep(within_ms).then(() => undefined)])
  }

  /** All that it wrote. */
  output(): string {
    return readFileSync(this.options.log_path, 'utf8')
  }
}

const dyingWithUs = Bun.which('setpriv') === null ? [] : ['setpriv', '--pdeathsig', 'KILL', '--']
