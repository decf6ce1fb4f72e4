import { allFaults } from './faults/all.ts'
import { networkFaults } from './faults/network.ts'
import { processFaults } from './faults/processes.ts'
import type { Fault, Round } from './fault.ts'
import { extname } from 'node:path'
import type { Clip } from './clips.ts'
import { check, type Violation } from './invariants.ts'
import { jobsOf } from './jobs.ts'
import { Library, type Source } from './library.ts'
import { Memory } from './memory.ts'
import { whenQuiet } from './quiet.ts'
import { Random } from './random.ts'
import { emptyRow, type Row } from './table.ts'
import { openWorld, type World } from './world.ts'

export interface ChaosOptions {
  /** Decides which faults meet, when, and whom. */
  seed: number
  executable: string
  faults: readonly Fault[]
  /** Whether another round is to be begun, told how many there were. */
  goesOn: (rounds: number) => boolean
  /** Without mounts and namespaces. */
  is_plain: boolean
  /** Ends the run early; everything is taken down. */
  signal: AbortSignal
  say: (line: string) => void
  /** Where the logs of a run with a violation are left. */
  logs: string
  /** Leaves them there in any case. */
  keeps_logs?: boolean
}

export interface ChaosResult {
  rows: Row[]
  violations: string[]
  rounds: number
  /** Faults that this machine cannot have: name and reason. */
  skipped: string[]
}

/** Faults that go together with any other. */
const companions = new Set([...processFaults, ...networkFaults])
/** Faults that leave no room for another. */
const isAlone = ({ name }: Fault) => /-database$|storage-away|two-of/.test(name)

/** Runs a world, does harm to it round after round, and judges each from outside. */
export async function runChaos(options: ChaosOptions): Promise<ChaosResult> {
  const { seed, signal, say } = options
  const world = await openWorld(options)
  const library = new Library(world.source, `${world.base}/scratch`)
  const memory = new Memory()
  const skipped = options.faults.flatMap(({ name, lacks }) => {
    const reason = lacks?.(world)
    return reason === undefined ? [] : [`${name}: ${reason}`]
  })
  const faults = options.faults.filter(({ lacks }) => lacks?.(world) === undefined)
  const rows = new Map(faults.map(({ name }) => [name, emptyRow(name)]))
  const violations: string[] = []
  const deck = new Deck(faults, seed)
  let rounds = 0
  try {
    while (faults.length > 0 && !signal.aborted && options.goesOn(rounds)) {
      rounds++
      const chosen = deck.draw()
      const random = new Random(seed * 1000 + rounds)
      const result = await unlessAborted(
        playRound({ world, library, memory, random, chosen, name: `r${rounds}-` }),
        signal,
      )
      if (result === undefined) break
      for (const { name } of chosen) note(rows.get(name), result)
      violations.push(...result.violations.map(({ text }) => `round ${rounds} (${namesOf(chosen)}): ${text}`))
      say(`round ${rounds}: ${namesOf(chosen)}: ${summary(result)}`)
      for (const { text } of result.violations) say(`  BROKEN ${text}`)
    }
    return { rows: [...rows.values()], violations, rounds, skipped }
  } finally {
    await world.close(violations.length > 0 || options.keeps_logs ? options.logs : undefined)
  }
}

/** All faults whose name begins with one of these; all of them for none. Unknown names are an error. */
export function faultsNamed(names: readonly string[]): Fault[] {
  const unknown = names.filter((name) => !allFaults.some((fault) => fault.name.startsWith(name)))
  if (unknown.length > 0) {
    throw new RangeError(`no fault ${unknown.join(', ')}; there are ${allFaults.map(({ name }) => name).join(', ')}`)
  }
  return allFaults.filter(({ name }) => names.length === 0 || names.some((start) => name.startsWith(start)))
}

/** Deals each fault once before any comes again, one time in three with a second one. */
class Deck {
  private readonly faults: readonly Fault[]
  private readonly random: Random
  private left: Fault[] = []

  constructor(faults: readonly Fault[], seed: number) {
    this.faults = faults
    this.random = new Random(seed)
  }

  draw(): Fault[] {
    if (this.left.length === 0) this.left = this.random.shuffled(this.faults)
    const first = this.left.shift()
    const isPaired = this.random.chance(1 / 3)
    if (first === undefined) return []
    if (!isPaired || isAlone(first)) return [first]
    const second = this.left.find((fault) => companions.has(fault))
    this.left = this.left.filter((fault) => fault !== second)
    return second ? [first, second] : [first]
  }
}

interface RoundPlan {
  world: World
  library: Library
  memory: Memory
  random: Random
  chosen: readonly Fault[]
  /** Begins the names of its sources. */
  name: string
}

interface RoundResult {
  jobs: number
  /** By fault. */
  missed: Map<string, string>
  failed: string[]
  recovery_ms: number
  violations: Violation[]
}

async function playRound({ world, library, memory, random, chosen, name }: RoundPlan): Promise<RoundResult> {
  const violations: Violation[] = []
  const missed = new Map<string, string>()
  const sources: Source[] = []
  const add = (clip: Clip) => sources.push(library.add(`${name}${sources.length}${extname(clip.path)}`, clip))
  add(world.clips.slow)
  for (let more = random.between(2, 4); more > 0; more--) add(random.pick(world.clips.short))
  // Others come while the harm is done, where the folder stays in its place.
  const late = chosen.some(isAlone) ? [] : [world.clips.slow, ...world.clips.short].filter(() => random.chance(0.5))
  const delays = late.map(() => random.between(0, 4000))
  const rounds = chosen.map((fault): { fault: Fault; round: Round } => ({
    fault,
    round: {
      world,
      library,
      random: new Random(random.between(0, 2 ** 31)),
      sources: [...sources],
      missed: (why) => missed.set(fault.name, why),
      broken: (text) => violations.push({ kind: 'damaged', text }),
    },
  }))
  await Promise.all([
    ...rounds.map(async ({ fault, round }) => fault.inject(round).then((heal) => heal())),
    ...late.map(async (clip, index) => Bun.sleep(delays[index] ?? 0).then(() => add(clip))),
  ])
  await world.up()
  const healedAt = performance.now()
  const rest = await whenQuiet(world, sources, name, memory)
  const restedAt = performance.now()
  if (rest.unrest !== undefined) violations.push({ kind: 'stuck', text: `I5: not at rest: ${rest.unrest}` })
  violations.push(...rest.lost.map((text) => ({ kind: 'lost' as const, text })))
  const failed = await mend(world, sources, name)
  if (failed.length > 0) await whenQuiet(world, sources, name, memory)
  const found = await check(world, library, memory)
  // A claim's answer that a broken network held up comes in late; its worker begins, hears that it is not its own, and cleans up.
  const isUnrest = found.some(({ kind }) => kind === 'left over')
  if (isUnrest) await whenQuiet(world, sources, name, memory)
  const recovery_ms = (isUnrest ? performance.now() : restedAt) - healedAt
  violations.push(...(isUnrest ? await check(world, library, memory) : found))
  return { jobs: sources.length, missed, failed, recovery_ms, violations }
}

/** Does what a person would: lets workers that are set aside work again, retries what failed of whole sources. Why these failed. */
async function mend(world: World, sources: readonly Source[], search: string): Promise<string[]> {
  const { workers } = await world.api.workers({})
  for (const { id } of workers) await world.api.resumeWorker({ worker_id: id }).catch(() => {})
  const jobs = (await jobsOf(world, search)) ?? []
  const failed = jobs.filter(
    (job) =>
      job.status === 'failed' && sources.some(({ path, state }) => path === job.source_path && state === 'whole'),
  )
  for (const { id } of failed) await world.api.retryJob({ job_id: id })
  return failed.map(({ error_message }) => error_message ?? '')
}

function note(row: Row | undefined, { jobs, missed, failed, recovery_ms, violations }: RoundResult): void {
  if (row === undefined) return
  row.injected++
  row.jobs += jobs
  row.failed += failed.length
  if (missed.has(row.fault)) row.missed++
  row.longest_recovery_ms = Math.max(row.longest_recovery_ms, recovery_ms)
  for (const { kind } of violations) row[kind]++
}

function summary({ jobs, missed, failed, recovery_ms, violations }: RoundResult): string {
  const facts = [`${jobs} jobs`, `at rest after ${(recovery_ms / 1000).toFixed(1)} s`]
  if (failed.length > 0) facts.push(`${failed.length} failed, completed when retried (${failed[0]})`)
  facts.push(...[...missed].map(([fault, why]) => `${fault} missed: ${why}`))
  if (violations.length > 0) facts.push(`${violations.length} BROKEN`)
  return facts.join(', ')
}

function namesOf(faults: readonly Fault[]): string {
  return faults.map(({ name }) => name).join(' + ')
}

async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const aborted = new Promise<undefined>((resolve) => {
    if (signal.aborted) resolve(undefined)
    signal.addEventListener('abort', () => resolve(undefined), { once: true })
  })
  // What is still under way fails when the world is taken down.
  work.catch(() => {})
  return Promise.race([work, aborted])
}
