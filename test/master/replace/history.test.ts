import { expect, test } from 'bun:test'
import { readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import type { Assignment } from '../../../src/contract/job.ts'
import { rivalNames, replacementCandidates } from '../../../src/master/outputs.ts'
import { sweepOriginals } from '../../../src/master/replace/originals.ts'
import { createLog } from '../../../src/util/log.ts'
import { Random } from '../../chaos/random.ts'
import { openMaster, type TestMaster } from '../../support/master.ts'
import { temporaryFolder } from '../../support/program.ts'
import { failingDisk } from './failing-disk.ts'
import { handIn, scan, write } from './films.ts'

const week = 7 * 86_400_000
const names = ['film.mkv', 'film.avi', 'film.mp4', 'other.mkv', 'other.mp4']

/** A library that somebody works in while results take their sources' places, with what must not be lost. */
class Library {
  readonly random: Random
  readonly disk = failingDisk(Infinity)
  readonly base = temporaryFolder()
  master: TestMaster
  /** Contents that people put there, adopted, and did not take away themselves. */
  readonly precious = new Set<string>()
  running: Assignment | null = null
  /** Of files in turn, so that each write has another time, long ago. */
  time = 1_600_000_000
  contents = 0
  replaced = 0
  undone = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.master = this.open()
  }

  get root(): string {
    return this.master.root_path
  }

  open(): TestMaster {
    return openMaster({ base: this.base, replace: { moves: this.disk.moves }, max_retries: 100 })
  }

  /** Names of the films that people see. */
  films(): string[] {
    return readdirSync(this.root).filter((name) => !name.startsWith('.'))
  }

  text(name: string): string {
    return readFileSync(join(this.root, name), 'utf8')
  }

  /** The texts of all files, ours too. */
  all(): Set<string> {
    const entries = readdirSync(this.root, { recursive: true, encoding: 'utf8' }).map((name) => join(this.root, name))
    return new Set(entries.filter((path) => statSync(path).isFile()).map((path) => readFileSync(path, 'utf8')))
  }

  /** Somebody puts a film at a name, over what is there, in place or as another file. */
  put(): void {
    const name = this.random.pick(names)
    const content = `film ${this.contents++}${'.'.repeat(this.random.between(0, 20))}`
    const isThere = this.films().includes(name)
    if (isThere) this.precious.delete(this.text(name))
    if (isThere && this.random.chance(0.5))
      renameSync(write(this.base, 'new', content, this.time++), join(this.root, name))
    else write(this.root, name, content, this.time++)
    this.precious.add(content)
  }

  takeAway(): void {
    if (this.films().length === 0) return
    const name = this.random.pick(this.films())
    this.precious.delete(this.text(name))
    rmSync(join(this.root, name))
  }

  rename(): void {
    if (this.films().length === 0) return
    const to = `renamed ${this.contents++}.${this.random.pick(['mkv', 'mp4'])}`
    renameSync(join(this.root, this.random.pick(this.films())), join(this.root, to))
  }

  /** Makes a file a film of its own, also a result. */
  touch(): void {
    if (this.films().length === 0) return
    const name = this.random.pick(this.films())
    utimesSync(join(this.root, name), this.time, this.time++)
    this.precious.add(this.text(name))
  }

  async scanAll(): Promise<void> {
    const siblings = rivalNames(this.films())
    for (const name of this.films()) {
      await scan(this.master, name, replacementCandidates(join(this.root, name), 'mp4', siblings(name)))
    }
  }

  async claim(): Promise<void> {
    this.running ??= await this.master.api.claim({ worker_id: 'w', boot_id: 'boot', request_id: `${this.contents++}` })
  }

  /** What the master could not end is said again another time, as workers do. */
  async finish(): Promise<void> {
    if (!this.running) return
    const content = `result ${this.contents++}${'-'.repeat(this.random.between(0, 20))}`
    const done = await handIn(this.master, this.running, content).catch(({ code }: { code?: string }) =>
      code === 'conflict' ? code : undefined,
    )
    if (done === undefined) return
    this.running = null
    if (typeof done === 'object' && done.status === 'completed') this.replaced++
  }

  async undo(): Promise<void> {
    const { jobs } = await this.master.api.jobs({ status: 'completed' })
    if (jobs.length === 0) return
    const done = await this.master.api.undoJob({ job_id: this.random.pick(jobs).id }).catch(() => undefined)
    if (done) this.undone++
  }

  async requeue(): Promise<void> {
    const { jobs } = await this.master.api.jobs({})
    if (jobs.length > 0) await this.master.api.requeueJob({ job_id: this.random.pick(jobs).id }).catch(() => {})
  }

  async restart(): Promise<void> {
    await this.master.coordinator.stop()
    await this.master.store.close()
    const { now } = this.master.clock
    this.disk.mend()
    this.master = this.open()
    this.master.clock.now = now
    await this.master.coordinator.start()
    this.running = null
  }

  /** A week passes: what is kept aside by then may go. */
  async passWeek(): Promise<void> {
    const { store, clock } = this.master
    clock.now += week
    const visible = new Set(this.films().map((name) => this.text(name)))
    for (const content of this.precious) if (!visible.has(content)) this.precious.delete(content)
    await sweepOriginals({
      store,
      clock: () => clock.now,
      log: createLog({ level: 'error', format: 'text', output_path: null }),
      replace: { enabled: true, keep_originals_ms: week, hard_links: 'skip', moves: this.disk.moves },
    })
  }

  breakDisk(): void {
    this.disk.failAfter(this.random.between(0, 5))
  }
}

type Act = (library: Library) => unknown

/** More of what leads somewhere than of what disturbs. */
const acts: readonly (readonly [weight: number, act: Act])[] = [
  [6, (library) => library.put()],
  [2, (library) => library.takeAway()],
  [2, (library) => library.rename()],
  [2, (library) => library.touch()],
  [10, async (library) => library.scanAll()],
  [10, async (library) => library.claim()],
  [10, async (library) => library.finish()],
  [5, async (library) => library.undo()],
  [2, async (library) => library.requeue()],
  [2, async (library) => library.restart()],
  [1, async (library) => library.passWeek()],
  [2, (library) => library.breakDisk()],
  [4, (library) => library.disk.mend()],
]
const weighted = acts.flatMap(([weight, act]) => Array.from({ length: weight }, () => act))

for (const seed of [1, 2, 3, 4]) {
  test(`whatever people, workers, disks and masters do in whatever order, no film of anybody’s is lost (${seed})`, async () => {
    const library = new Library(seed)
    for (let count = 0; count < 250; count++) {
      await library.random.pick(weighted)(library)
      expect([...library.precious].filter((content) => !library.all().has(content))).toEqual([])
    }
    await library.restart()
    expect([...library.precious].filter((content) => !library.all().has(content))).toEqual([])
    expect(library.replaced).toBeGreaterThan(5)
    expect(library.undone).toBeGreaterThan(1)
  }, 60_000)
}
