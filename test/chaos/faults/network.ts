import { aMoment, aWhile, type Fault, type Round } from '../fault.ts'
import { lease_ms, type World } from '../world.ts'

const lacks = ({ network }: World) => (network ? undefined : 'network namespaces are not allowed here')

/** Cut and slow wires between workers and master. */
export const networkFaults: readonly Fault[] = [
  { name: 'cut-network', lacks, inject: (round) => harm(round, 'cut') },
  { name: 'slow-network', lacks, inject: (round) => harm(round, 'slow') },
]

async function harm(round: Round, how: 'cut' | 'slow') {
  const { random, world } = round
  const { network, workers } = world
  await aMoment(round)
  const victims = random.shuffled(workers).slice(0, random.between(1, workers.length))
  for (const { number } of victims) network?.[how](number)
  return async () => {
    await aWhile(round, lease_ms / 2, lease_ms * 3)
    for (const { number } of victims) network?.mend(number)
  }
}
