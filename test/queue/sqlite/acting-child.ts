import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../../src/queue/sqlite/sqlite-store.ts'
import type { Store } from '../../../src/queue/store.ts'
import { systemClock } from '../../../src/util/clock.ts'
import { failure, keyOf, lease_ms, result, skipped, source, there } from '../cases/world.ts'

/** What the store said yes to, a line of JSON each, written once its promise has resolved. */
export interface Acknowledged {
  act: 'added' | 'completed' | 'skipped' | 'failed' | 'released' | 'cancelled' | 'claimed'
  job_id: string
  attempt: number
}

// Started by durability.test.ts: acts on the database of its argument without end, until it is killed.
if (import.meta.main) await act(openSqliteStore({ path: process.argv[2] ?? '', max_retries: 3, clock: systemClock }))

async function act(store: Store): Promise<never> {
  for (let index = 0; ; index++) {
    const added = source(`film ${process.pid}-${index}`)
    await store.addSources([added])
    say({ act: 'added', job_id: added.id, attempt: 0 })
    const claimed = there(await store.claim({ worker_id: 'alice', request_id: added.id, lease_ms }))
    say({ act: 'claimed', job_id: claimed.id, attempt: claimed.attempt })
    const key = keyOf(claimed)
    const ends = {
      completed: () => store.complete(key, result),
      skipped: () => store.skip(key, skipped),
      failed: () => store.fail(key, failure()),
      cancelled: () => store.cancel(claimed.id),
      released: () => store.release(key),
    }
    const [act, end] = there(Object.entries(ends)[index % 5])
    there(await end())
    say({ act: act as keyof typeof ends, job_id: claimed.id, attempt: claimed.attempt })
  }
}

/** At once, past all buffers: a line is in the pipe before the next act begins. */
function say(acknowledged: Acknowledged): void {
  writeSync(1, `${JSON.stringify(acknowledged)}\n`)
}
