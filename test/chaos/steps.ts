import { type FSWatcher, mkdirSync, readdirSync, readFileSync, statSync, watch } from 'node:fs'
import { join } from 'node:path'
import { isEncode, isVerification, type ProcessRow, toolsIn } from './processes.ts'
import type { WorkerNode, World } from './world.ts'

/** Where an attempt is. */
export const steps = ['claimed', 'encoding', 'verifying', 'reporting', 'publishing'] as const
export type Step = (typeof steps)[number]

/** An attempt met at a step: its worker and, while ffmpeg or ffprobe runs, that process. */
export interface Meeting {
  worker: WorkerNode | undefined
  tool: ProcessRow | undefined
}

/** Milliseconds between looks at the process table. */
const lookMs = 4

/**
 * Resolves at the moment at which some attempt comes to a step, as it shows from outside; undefined when none does within
 * so many milliseconds. `claimed`: its work folder is made. `encoding`, `verifying`: its tool runs. `reporting`: its result is in the
 * outbox. `publishing`: the master has begun to move its result and has not recorded it yet; sometimes before the move and
 * sometimes after it.
 */
export async function meet(step: Step, world: World, within_ms: number): Promise<Meeting | undefined> {
  if (step === 'encoding') return meetTool(isEncode, world, within_ms)
  if (step === 'verifying') return meetTool(isVerification, world, within_ms)
  return step === 'publishing' ? meetPublication(world, within_ms) : meetFile(step, world, within_ms)
}

/** The encodes that run now. */
export async function encodesOf(world: World): Promise<ProcessRow[]> {
  return (await toolsIn(world.base)).filter(isEncode)
}

async function meetTool(
  isMeant: (row: ProcessRow) => boolean,
  world: World,
  within_ms: number,
): Promise<Meeting | undefined> {
  const until = performance.now() + within_ms
  while (performance.now() < until) {
    const tool = (await toolsIn(world.base)).find(isMeant)
    if (tool) return { tool, worker: world.workers.find(({ pid }) => pid === tool.parent) }
    await Bun.sleep(lookMs)
  }
  return undefined
}

async function meetFile(
  step: 'claimed' | 'reporting',
  world: World,
  within_ms: number,
): Promise<(Meeting & { path: string }) | undefined> {
  const { promise, resolve } = Promise.withResolvers<(Meeting & { path: string }) | undefined>()
  const watchers: FSWatcher[] = []
  const look = (folder: string, pattern: RegExp, worker: WorkerNode) => {
    const found = (_event: string, name: string | null) => {
      if (name !== null && pattern.test(name)) resolve({ worker, tool: undefined, path: join(folder, name) })
    }
    watchers.push(watch(folder, found).on('error', () => {}))
  }
  const timer = setTimeout(() => resolve(undefined), within_ms)
  try {
    for (const worker of world.workers) {
      const outbox = join(worker.work_base, 'outbox')
      mkdirSync(outbox, { recursive: true, mode: 0o700 })
      if (step === 'claimed') look(worker.work_base, /\.\d+$/, worker)
      else look(outbox, /\.json$/, worker)
    }
    return await promise
  } finally {
    clearTimeout(timer)
    for (const watcher of watchers) watcher.close()
  }
}

async function meetPublication(world: World, within_ms: number): Promise<Meeting | undefined> {
  const met = await haltPublication(world, within_ms)
  world.master.signal('SIGCONT')
  return met
}

/**
 * As `meet`, and leaves the master stopped there. A publication takes a millisecond or two, so the master is let go on for a
 * fraction of one at a time from when a result is in an outbox: the result takes over its source's time once the master has
 * noted that it begins, and is gone from its folder once it was moved.
 */
export async function haltPublication(world: World, within_ms: number): Promise<Meeting | undefined> {
  const met = await meetFile('reporting', world, within_ms)
  const staged = met && stagedPath(met.path)
  if (staged === undefined) return met
  const awaitsMove = meetings++ % 2 === 0
  const giveUpAt = performance.now() + 1000
  while (performance.now() < giveUpAt) {
    world.master.signal('SIGSTOP')
    const found = statSync(staged, { throwIfNoEntry: false })
    const isBegun = found !== undefined && Date.now() - found.mtimeMs > longAgoMs
    if (found === undefined || (isBegun && !awaitsMove)) return met
    world.master.signal('SIGCONT')
    Bun.sleepSync(stepMs)
  }
  world.master.signal('SIGSTOP')
  return met
}

/** Milliseconds for which the master goes on between two looks. */
const stepMs = 0.1
let meetings = 0
/** Sources are an hour old, results are new. */
const longAgoMs = 600_000

function stagedPath(entry: string): string | undefined {
  try {
    return (JSON.parse(readFileSync(entry, 'utf8')) as { staging_path: string }).staging_path
  } catch {
    return undefined
  }
}

/** How many results wait in a worker's outbox. */
export function waiting(work_base: string): number {
  try {
    return readdirSync(join(work_base, 'outbox')).length
  } catch {
    return 0
  }
}
