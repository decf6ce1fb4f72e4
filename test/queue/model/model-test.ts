import { test } from 'bun:test'
import * as fc from 'fast-check'
import { createWorld, type Subject as Prepared } from '../cases/world.ts'
import { sequences } from './commands.ts'
import { lookAt } from './compare.ts'
import { emptyModel } from './model.ts'

/** Sequences of acts; thousands where `DARKSTREAM_TEST_RUNS` says so. */
const runs = Number(process.env['DARKSTREAM_TEST_RUNS'] ?? 300)
/** Repeats the run that printed it. */
const seed = process.env['DARKSTREAM_TEST_SEED']
/** Acts in one sequence, at most. */
const longest = 60
/** Milliseconds that a sequence may take on a slow machine, its share of shrinking included. */
const perRun_ms = 200

/**
 * Random sequences of acts, each on a queue of its own that `prepare` makes: after every act the store must hold what
 * the model holds. One that fails is shrunk to its shortest form and printed with its seed.
 */
export function modelTest(name: string, prepare: () => Promise<Prepared>): void {
  test(
    `${name} does what the model of the queue says, in ${runs} random sequences of acts`,
    async () => {
      const property = fc.asyncProperty(sequences(longest), async (commands) => {
        const world = await createWorld(await prepare())
        try {
          const last = await lookAt(world)
          const setup = () => ({ model: emptyModel(world.now_ms), real: { world, last, owners: new Map() } })
          await fc.asyncModelRun(setup, commands)
        } finally {
          await world.end()
        }
      })
      await fc.assert(property, { numRuns: runs, ...(seed === undefined ? {} : { seed: Number(seed) }) })
    },
    30_000 + runs * perRun_ms,
  )
}
