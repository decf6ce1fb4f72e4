import { meet, steps } from './steps.ts'
import type { Library, Source } from './library.ts'
import type { Random } from './random.ts'
import type { WorkerNode, World } from './world.ts'

/** What goes wrong, and how it is made good. */
export interface Fault {
  /** Such as `kill-worker@encoding`. */
  name: string
  /** Why this machine cannot have it, a clause; undefined when it can. */
  lacks?: (world: World) => string | undefined
  /** Does the harm; gives what ends it. Processes that are gone are started again without it. */
  inject: (round: Round) => Promise<Heal>
}

/** Ends a fault. It lets it act before, as long as it likes. */
export type Heal = () => Promise<void>

/** Nothing to make good beyond what every round does. */
export const nothing: Heal = async () => {}

/** What a fault has to work with. */
export interface Round {
  world: World
  library: Library
  random: Random
  /** Fresh ones, which nobody has claimed when the round begins. */
  sources: Source[]
  /** Says that the moment which the fault is about did not come, or was over. */
  missed: (why: string) => void
  /** Says that darkstream did what it must not, a sentence. */
  broken: (what: string) => void
}

/** Milliseconds within which a step is waited for. */
export const meetWithin_ms = 15_000

/** One of the workers. */
export function anyWorker({ world, random }: Round): WorkerNode {
  return random.pick(world.workers)
}

/** Waits for a random while. */
export async function aWhile({ random }: Round, least_ms: number, most_ms: number): Promise<void> {
  await Bun.sleep(random.between(least_ms, most_ms))
}

/** Waits for a random moment of the first seconds, or for a step that somebody comes to. */
export async function aMoment({ random, world }: Round): Promise<void> {
  if (random.chance(0.4)) await Bun.sleep(random.between(0, 5000))
  else await meet(random.pick(steps), world, 5000)
}
