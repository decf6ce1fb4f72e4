import type { Job, JobStatus } from '../../../src/contract/job.ts'
import { failure, idOf, keyOf, lease_ms, result, skipped, there, type World } from './world.ts'

/** The states in which nobody works on a job. */
export const settledStates = ['pending', 'completed', 'failed', 'cancelled', 'skipped'] as const satisfies JobStatus[]

/** Takes the job of a source from pending to a state, by the acts that lead there; the job as it is then. */
export async function bringTo(world: World, name: string, state: JobStatus): Promise<Job> {
  const { store } = world
  if (state === 'pending') return world.job(name)
  if (state === 'cancelled') return there(await store.cancel(idOf(name)))
  const claimed = there(await store.claim({ worker_id: 'alice', request_id: `for-${name}`, lease_ms }))
  if (claimed.id !== idOf(name)) throw new Error(`${name} was not the next to be claimed`)
  if (state === 'completed') return there(await store.complete(keyOf(claimed), result))
  if (state === 'failed') return there(await store.fail(keyOf(claimed), failure()))
  if (state === 'skipped') return there(await store.skip(keyOf(claimed), skipped))
  return claimed
}
