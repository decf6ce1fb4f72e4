import { aMoment, type Fault, nothing, type Round } from '../fault.ts'

/** Sources that change under the hands of whoever converts them. */
export const sourceFaults: readonly Fault[] = [
  { name: 'source-changed', inject: (round) => harm(round, change) },
  { name: 'source-truncated', inject: (round) => harm(round, truncate) },
  { name: 'source-removed', inject: (round) => harm(round, remove) },
]

/** Any time between scan and commit. */
async function harm(round: Round, act: (round: Round) => void) {
  await aMoment(round)
  act(round)
  return nothing
}

function change({ random, world, library, sources }: Round): void {
  library.write(random.pick(sources), random.pick(world.clips.short))
}

function truncate({ random, library, sources }: Round): void {
  library.truncate(random.pick(sources))
}

function remove({ random, library, sources }: Round): void {
  library.remove(random.pick(sources))
}
